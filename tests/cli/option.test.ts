import t from "tap";
import { helios } from "./rig.ts";

t.test("option explains an option: meaning, value, and every definition with its place", async (t) => {
  const result = await helios(["option", "build.name", "--json"]);
  t.equal(result.code, 0, result.stderr);
  const explained = JSON.parse(result.stdout) as {
    readonly value: string;
    readonly definitions: readonly { readonly status: string; readonly place: string; readonly priority: number }[];
  };
  t.equal(explained.value, '"helios-cm5"');
  const from = (file: string) => explained.definitions.filter(({ place }) => place.startsWith(`${file}:`));
  t.match(from("systems/helios-cm5.ts"), [{ status: "wins", priority: 100 }]);
  t.match(from("profiles/minimal.ts"), [{ status: "loses", priority: 1400 }]);
  t.match(from("modules/build.ts"), [{ status: "loses", priority: 1500 }]);
});

t.test("option lists a group, and suggests a name for one that does not exist", async (t) => {
  const group = await helios(["option", "image.root"]);
  t.strictSame(group.stdout.trim().split("\n"), ["filesystem", "freeMiB", "label", "sizeMiB"], group.stderr);
  const misspelt = await helios(["option", "image.rot"]);
  t.equal(misspelt.code, 2);
  t.match(misspelt.stderr, "has no attribute 'rot'. Did you mean 'root'?");
});

t.test("options prints the reference of every option, as a page, as data and as a schema", async (t) => {
  const page = await helios(["options", "--format", "html"]);
  const data = await helios(["options", "--format", "json"]);
  const schema = await helios(["options", "--format", "schema"]);
  t.match(page.stdout, /^<!doctype html>[\s\S]*id="opt-networking\.hostName"/iu, page.stderr);
  t.match(JSON.parse(data.stdout), { "networking.hostName": { declarations: [/^modules\//u] } });
  t.match(JSON.parse(schema.stdout), {
    $schema: "http://json-schema.org/draft-07/schema#",
    properties: { networking: { properties: { hostName: { type: "string" } } } },
  });
  const unknown = await helios(["options", "--system", "nowhere"]);
  t.equal(unknown.code, 2);
  t.match(unknown.stderr, "nowhere");
});
