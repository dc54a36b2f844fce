/** No stack limit, and what else the cells promise. */
import t from "tap";
import { EvaluationError, evalModules, mkOption, type Module, types } from "#lib/evaluator/index.ts";
import { setC } from "../bench/evaluator/sets.ts";
import { configOf, failure, type Loose, mkIf, opt, sub } from "../conformance/untyped.ts";

t.setTimeout(300_000);

const chain = (length: number, first: unknown): Module => ({
  options: Object.fromEntries(Array.from({ length }, (_, i) => [`c${i}`, mkOption({ type: types.int })])),
  config: Object.fromEntries(
    Array.from({ length }, (_, i) => [`c${i}`, i === 0 ? first : (config: Loose) => config[`c${i - 1}`] + 1]),
  ),
});

t.test("a chain of 100,000 options evaluates", async (t) => {
  t.equal(evalModules<Record<string, number>>({ modules: setC(100_000) }).config["c99999"], 99_999);
});

t.test("a cycle of 100,000 options reports itself", async (t) => {
  const { config } = evalModules<Record<string, number>>({
    modules: [chain(100_000, (all: Loose) => all["c99999"] + 1)],
  });
  const error = failure(() => config["c99999"]);
  t.equal(error.reason, "cycle");
  t.equal(error.failure.reason === "cycle" && error.failure.cells.length, 100_000);
  t.match(error.message, "`c99999` depends on itself through 100000 steps");
});

t.test("a thunk that catches everything cannot hide that the stack was unwound", async (t) => {
  const swallow = (index: number) => (config: Loose) => {
    try {
      return config[`c${index - 1}`] + 1;
    } catch {
      return -1;
    }
  };
  const length = 2000;
  const module: Module = {
    options: chain(length, 0).options!,
    config: Object.fromEntries(Array.from({ length }, (_, i) => [`c${i}`, i === 0 ? 0 : swallow(i)])),
  };
  t.equal(configOf(module)[`c${length - 1}`], length - 1);
});

t.test("each thunk of a long chain runs only a few times", async (t) => {
  const length = 20_000;
  let runs = 0;
  const module: Module = {
    options: chain(length, 0).options!,
    config: Object.fromEntries(
      Array.from({ length }, (_, i) => [
        `c${i}`,
        i === 0
          ? 0
          : (config: Loose) => {
              runs++;
              return config[`c${i - 1}`] + 1;
            },
      ]),
    ),
  };
  t.equal(configOf(module)[`c${length - 1}`], length - 1);
  t.ok(runs <= 4 * length, `${runs} runs`);
});

t.test("a deep option that reads many deep options stays linear", async (t) => {
  const width = 2000;
  const base = chain(400, 0);
  let runs = 0;
  const module: Module = {
    options: {
      ...Object.fromEntries(Array.from({ length: width }, (_, i) => [`w${i}`, mkOption({ type: types.int })])),
      sum: mkOption({ type: types.int }),
    },
    config: {
      ...Object.fromEntries(Array.from({ length: width }, (_, i) => [`w${i}`, (config: Loose) => config["c399"] + i])),
      sum: (config: Loose) => {
        let sum = 0;
        for (let i = 0; i < width; i++) {
          runs++;
          sum += config[`w${i}`];
        }
        return sum;
      },
    },
  };
  t.equal(configOf(base, module).sum, 399 * width + (width * (width - 1)) / 2);
  t.ok(runs < 20 * width, `${runs} reads`);
});

t.test("an endless recursion in user code is reported at the option", async (t) => {
  const endless = (n: number): number => endless(n + 1) + 1;
  const error = failure(() => configOf({ options: { v: opt(types.int) } }, { v: () => endless(0) }).v);
  t.equal(error.reason, "thunk-threw");
  t.match(error.message, "Computing `v` failed: RangeError");
});

t.test("a cycle through a submodule and a condition names every option on the way", async (t) => {
  const options = {
    units: opt(types.attrsOf(sub({ port: opt(types.int), on: opt(types.bool, { default: true }) }))),
    base: opt(types.int),
  };
  const error = failure(
    () =>
      configOf(
        { options },
        {
          base: (config: Loose) => config.units.web.port,
          units: { web: mkIf((config: Loose) => config.base > 0, { port: 1 }) },
        },
      ).base,
  );
  t.equal(error.reason, "cycle");
  t.match(error.message, "`base`");
  t.match(error.message, "`units`");
});

t.test("a failed option fails the same way for every reader, and others still work", async (t) => {
  const config = configOf(
    { options: { bad: opt(types.int), reader: opt(types.int), good: opt(types.int) } },
    {
      bad: () => {
        throw new Error("no");
      },
      reader: (c: Loose) => c.bad,
      good: 1,
    },
  );
  const first = failure(() => config.reader);
  t.equal(
    failure(() => config.bad),
    first,
  );
  t.ok(first instanceof EvaluationError);
  t.equal(config.good, 1);
});
