import t from "tap";
import { helios } from "./rig.ts";

t.test("option explains an option: meaning, value, and every definition with its place", async (t) => {
  const result = await helios(["option", "boot.kernelParams", "--json"]);
  t.equal(result.code, 0, result.stderr);
  const explained = JSON.parse(result.stdout) as {
    readonly value: string;
    readonly definitions: readonly { readonly status: string; readonly place: string; readonly priority: number }[];
  };
  t.equal(explained.value, '["console=tty1","console=ttyAMA0,115200"]');
  t.match(explained.definitions, [
    { status: "loses", place: /^modules\/boot\.ts:\d+/, priority: 1500 },
    { status: "wins", place: /^profiles\/pi\/base\.ts:\d+/, priority: 100 },
    { status: "wins", place: /^profiles\/minimal\.ts:\d+/, priority: 100 },
  ]);
});

t.test("option lists a group, and suggests a name for one that does not exist", async (t) => {
  const group = await helios(["option", "image.root"]);
  t.strictSame(group.stdout.trim().split("\n"), ["filesystem", "freeMiB", "label"], group.stderr);
  const misspelt = await helios(["option", "image.rot"]);
  t.equal(misspelt.code, 2);
  t.match(misspelt.stderr, "has no attribute 'rot'. Did you mean 'root'?");
});
