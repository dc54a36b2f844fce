import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { helios, root } from "./rig.ts";

t.test("check reports everything that is wrong with a configuration, also in options that nothing reads", async (t) => {
  const directory = t.testdir({
    "flake.ts": `
import { main } from "#lib/cli/main.ts";
import { defineModule } from "#lib/evaluator/index.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";
import { evalSystem } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import heliosCm5 from "${root}/systems/helios-cm5.ts";

const wrong = { config: { locale: { timeZone: "Not a zone" }, boot: { kernelParams: ["two words"] } } } as never;
const flake = defineFlake({
  description: "Wrong twice",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: ({ lock }) => ({
    packages: {},
    checks: {},
    systems: { bench: evalSystem({ pkgs: makePackages({ lock }), modules: [heliosCm5, defineModule(wrong)] }) },
  }),
});
export default flake;
await main(flake, import.meta.url);
`,
  });
  await copyFile(join(root, "flake.lock"), join(directory, "flake.lock"));
  const result = await helios(["check", "--locked"], {
    flake: join(directory, "flake.ts"),
    cwd: directory,
    env: { HELIOS_STORE: join(directory, "store") },
  });
  t.equal(result.code, 3, result.stderr);
  t.match(result.stderr, /locale\.timeZone/);
  t.match(result.stderr, /boot\.kernelParams/);
});
