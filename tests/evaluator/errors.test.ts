import { readFile, writeFile } from "node:fs/promises";
import t from "tap";
import {
  assertionsModule,
  checkAssertions,
  EvaluationError,
  evalModules,
  placesOf,
  renderError,
  showPlace,
} from "#lib/evaluator/index.ts";
import { declarations, type ErrorTests, mistakes } from "./errors/modules.ts";

const failureOf = (compute: () => unknown): EvaluationError => {
  try {
    compute();
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
  throw new Error("expected an error");
};

for (const [name, { modules, read }] of Object.entries(mistakes)) {
  t.test(`the error "${name}" shows what, where and a code frame`, async (t) => {
    const error = failureOf(
      () => evalModules<ErrorTests>({ modules: [declarations, ...modules] }).config.errorTests[read],
    );
    const golden = new URL(`errors/${name}.txt`, import.meta.url);
    const shown = `${renderError(error)}\n`;
    // UPDATE_GOLDEN=1 writes the files; look at the difference before committing it.
    if (process.env["UPDATE_GOLDEN"] !== undefined) await writeFile(golden, shown);
    t.equal(shown, await readFile(golden, "utf8"));
  });
}

t.test("places point at the very key", async (t) => {
  const { modules } = mistakes["conflict"]!;
  const error = failureOf(
    () => evalModules<ErrorTests>({ modules: [declarations, ...modules] }).config.errorTests["name"],
  );
  const source = (await readFile(new URL("errors/modules.ts", import.meta.url), "utf8")).split("\n");
  for (const place of placesOf(error.failure)) {
    t.match(showPlace(place), /^tests\/evaluator\/errors\/modules\.ts:\d+:\d+$/u);
    t.match(source[place.line! - 1]!.slice(place.column! - 1), /^name: "(?:one|two)"/u);
  }
});

t.test("all failed assertions are reported together, warnings are returned", async (t) => {
  const assertion = (holds: boolean, message: string) => ({ assertion: holds, message });
  const { config } = evalModules({
    modules: [
      assertionsModule,
      { config: { assertions: [assertion(true, "fine"), assertion(false, "first")], warnings: ["careful"] } },
      { config: { assertions: [assertion(false, "second")] } },
    ],
  });
  const error = failureOf(() => checkAssertions(config));
  t.equal(error.message, "Failed assertions:\n- second\n- first");
  t.same(checkAssertions(evalModules({ modules: [assertionsModule, { config: { warnings: ["careful"] } }] }).config), [
    "careful",
  ]);
});

t.test("the configuration cannot be changed", async (t) => {
  const config = evalModules<ErrorTests>({ modules: [declarations, { config: { errorTests: { list: [1] } } }] }).config;
  t.throws(() => Reflect.set(config, "errorTests", 1), { message: /cannot be changed/u });
  t.throws(() => (config.errorTests["list"] = []), { message: /cannot be changed/u });
  t.throws(() => (config.errorTests["list"] as number[]).push(2), TypeError);
});

t.test("a configuration that is wrong stays wrong when it is read again", async (t) => {
  const { modules } = mistakes["unknown-option"]!;
  const evaluated = evalModules<ErrorTests>({ modules: [declarations, ...modules] });
  const first = failureOf(() => evaluated.config);
  t.equal(
    failureOf(() => evaluated.config),
    first,
  );
});
