import t from "tap";
import { documentOptions, lintModules, undescribed } from "#lib/evaluator/index.ts";
import { emptyLock, viewLock } from "#lib/flake/lock.ts";
import { evalSystem, optionModules } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import heliosCm5 from "../../systems/helios-cm5.ts";

const pkgs = makePackages({ lock: viewLock(emptyLock) });

t.test("every option that users see has a description", async (t) => {
  const documented = documentOptions(evalSystem({ pkgs, modules: [] }));
  t.ok(documented.length > 100, `${documented.length} options`);
  t.strictSame(undescribed(documented), []);
});

t.test("no default of the system is lost as a whole, and no option is declared twice", async (t) => {
  const lints = lintModules({ modules: [...optionModules, heliosCm5], specialArgs: { pkgs } });
  t.strictSame(
    lints.filter(({ rule }) => rule === "lost-default" || rule === "declared-twice").map(({ message }) => message),
    [],
  );
});
