import fc from "fast-check";
import t from "tap";
import { evalModules, EvaluationError, mkOption, type Module, types } from "#lib/evaluator/index.ts";
import { configOf, failure, type Loose, mkDefault, mkForce, mkIf, opt, sub } from "../conformance/untyped.ts";

t.setTimeout(300_000);

const chain = (length: number, first: unknown): Module => ({
  options: Object.fromEntries(Array.from({ length }, (_, i) => [`c${i}`, mkOption({ type: types.int })])),
  config: Object.fromEntries(
    Array.from({ length }, (_, i) => [`c${i}`, i === 0 ? first : (config: Loose) => config[`c${i - 1}`] + 1]),
  ),
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

const count = 12;
const runs = { current: 0 };
const declare: Module = {
  options: {
    ...Object.fromEntries(
      Array.from({ length: count }, (_, n) => [`o${n}`, mkOption({ type: types.int, default: n })]),
    ),
    group: { list: mkOption({ type: types.listOf(types.int), default: [] }) },
    units: opt(types.attrsOf(types.submodule({ options: { x: mkOption({ type: types.int, default: 0 }) } })), {
      default: {},
    }),
  },
};

type Definition = { readonly option: number } & (
  | { readonly kind: "value" | "default" | "force"; readonly value: number }
  | { readonly kind: "thunk" | "condition" | "unit"; readonly of: number; readonly value: number }
);

/** Reads only options with a lower number, so that nothing is a cycle. */
function written(definition: Definition): unknown {
  switch (definition.kind) {
    case "value":
      return definition.value;
    case "default":
      return mkDefault(definition.value);
    case "force":
      return mkForce(definition.value);
    case "thunk":
    case "unit":
      return (config: Loose) => {
        runs.current++;
        return config[`o${definition.of}`] + definition.value;
      };
    case "condition":
      return mkIf((config: Loose) => config[`o${definition.of}`] > 5, definition.value);
  }
}

function moduleOf(definitions: readonly Definition[]): Module {
  const config: Record<string, Loose> = {};
  for (const definition of definitions) {
    if (definition.kind === "unit")
      config["units"] = { ...config["units"], [`u${definition.option}`]: { x: written(definition) } };
    else config[`o${definition.option}`] = written(definition);
  }
  config["group"] = { list: definitions.map((each) => each.value) };
  return { config };
}

const definition: fc.Arbitrary<Definition> = fc.integer({ min: 1, max: count - 1 }).chain((option) =>
  fc.oneof(
    fc.record({
      option: fc.constant(option),
      kind: fc.constantFrom("default" as const, "force" as const),
      value: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({
      option: fc.constant(option),
      kind: fc.constantFrom("thunk" as const, "condition" as const, "unit" as const),
      of: fc.integer({ min: 0, max: option - 1 }),
      value: fc.integer({ min: 0, max: 9 }),
    }),
  ),
);
const definitions = fc.uniqueArray(definition, { selector: (each) => each.option, maxLength: 6 });

/** The configuration, or the first line of the error that reading it ends in. */
const outcome = (evaluation: { toJson(): string }): string => {
  try {
    return evaluation.toJson();
  } catch (error) {
    return (error as Error).message.split("\n")[0] ?? "";
  }
};

t.test("replacing a module gives what a cold evaluation gives", async (t) => {
  fc.assert(
    fc.property(fc.array(definitions, { minLength: 2, maxLength: 4 }), fc.nat(), definitions, (all, which, changed) => {
      const modules = [declare, ...all.map(moduleOf)];
      const warm = evalModules({ modules });
      outcome(warm);
      const before = modules[1 + (which % all.length)]!;
      const after = moduleOf(changed);
      warm.replaceModule(before, after);
      return (
        outcome(warm) === outcome(evalModules({ modules: modules.map((each) => (each === before ? after : each)) }))
      );
    }),
    { numRuns: 500 },
  );
  t.pass();
});

t.test("extending gives what a cold evaluation gives", async (t) => {
  fc.assert(
    fc.property(fc.array(definitions, { minLength: 1, maxLength: 3 }), definitions, (all, more) => {
      const modules = [declare, ...all.map(moduleOf)];
      const warm = evalModules({ modules });
      outcome(warm);
      const added = moduleOf(more);
      return (
        outcome(warm.extendModules({ modules: [added] })) === outcome(evalModules({ modules: [...modules, added] }))
      );
    }),
    { numRuns: 500 },
  );
  t.pass();
});

t.test("only what depends on the change is computed again", async (t) => {
  const thunk = (name: string) => (config: Loose) => {
    computed.push(name);
    return config[name] + 1;
  };
  const computed: string[] = [];
  const shared = { o1: thunk("o0"), o2: thunk("o1"), o4: thunk("o3") };
  const before: Module = { config: { o0: 1 } };
  const modules: readonly Module[] = [declare, { config: shared }, before];
  const evaluation = evalModules<Record<string, number>>({ modules });
  t.match(evaluation.toPlain(), { o0: 1, o1: 2, o2: 3, o4: 4 });
  computed.length = 0;
  const { affected, everything } = evaluation.replaceModule(before, { config: { o0: 7 } });
  t.equal(everything, false);
  t.same(affected.map(String).sort(), ["o0", "o1", "o2"]);
  t.match(evaluation.toPlain(), { o0: 7, o1: 8, o2: 9, o4: 4 });
  t.same(computed.sort(), ["o0", "o1"]);
  computed.length = 0;
  const extended = evaluation.extendModules({ modules: [{ config: { o3: 10 } }] });
  t.match(extended.toPlain(), { o0: 7, o2: 9, o3: 10, o4: 11 });
  t.same(computed, ["o3"]);
});

t.test("an equal definition changes nothing", async (t) => {
  const before: Module = { config: { o0: 1, group: { list: [1] } } };
  const evaluation = evalModules({ modules: [declare, before] });
  evaluation.toJson();
  t.same(evaluation.replaceModule(before, { config: { o0: 1, group: { list: [1] } } }), {
    affected: [],
    everything: false,
  });
});

t.test("a module whose structure differs starts anew", async (t) => {
  const before: Module = { config: { o0: 1 } };
  const evaluation = evalModules<Record<string, number>>({ modules: [declare, before] });
  evaluation.toJson();
  t.equal(evaluation.replaceModule(before, { imports: [{ config: { o0: 3 } }] }).everything, true);
  t.equal(evaluation.config["o0"], 3);
});

t.test("a module can be replaced before anything is read, and with its options unread", (t) => {
  const options = {
    group: { list: mkOption({ type: types.listOf(types.int), default: [] }), other: mkOption({ type: types.int }) },
  };
  const before: Module = { config: { group: { list: [1], other: 1 } } };
  const after: Module = { config: { group: { list: [2], other: 1 } } };
  const last: Module = { config: { group: { list: [3] } } };
  const evaluation = evalModules<{ group: { list: readonly number[]; other: number } }>({
    modules: [{ options }, before, last],
  });
  evaluation.replaceModule(before, after);
  t.same(evaluation.config.group.list, [3, 2]);
  const unread = evalModules<{ group: { list: readonly number[]; other: number } }>({
    modules: [{ options }, before, last],
  });
  t.ok(unread.config, "checked, but no option is read");
  unread.replaceModule(before, after);
  t.same(unread.toPlain(), { group: { list: [3, 2], other: 1 } });
  t.end();
});

t.test("options are the same in whatever order they are read, and however few", (t) => {
  const number = mkOption({ type: types.int, default: 0 });
  const list = mkOption({ type: types.listOf(types.int), default: [] });
  const modules: readonly Loose[] = [
    {
      options: {
        a: { one: number, two: list, inner: { three: number } },
        b: { four: number, five: list },
        six: number,
      },
    },
    { config: { a: mkIf((config: Loose) => config.six > 1, { one: 5, two: [1] }), six: 2 } },
    { config: mkForce({ a: { inner: mkIf(true, { three: 3 }) }, b: mkDefault({ five: [7] }) }) },
    { config: { a: { two: [2], inner: { three: 1 } }, b: { five: [8] } } },
  ];
  const paths = [["a", "one"], ["a", "two"], ["a", "inner", "three"], ["b", "four"], ["b", "five"], ["six"]];
  const fresh = (): Loose => evalModules({ modules });
  const expected = fresh().toPlain();
  const valueAt = (config: Loose, path: readonly string[]): unknown => path.reduce((at, key) => at[key], config);
  t.strictSame(expected, { a: { one: 5, two: [2, 1], inner: { three: 3 } }, b: { four: 0, five: [7] }, six: 2 });
  fc.assert(
    fc.property(fc.shuffledSubarray(paths, { minLength: 1 }), fc.boolean(), (order, whole) => {
      const evaluated = fresh();
      const read = order.every(
        (path) => JSON.stringify(valueAt(evaluated.config, path)) === JSON.stringify(valueAt(expected, path)),
      );
      return read && (!whole || JSON.stringify(evaluated.toPlain()) === JSON.stringify(expected));
    }),
  );
  t.end();
});

t.test("what no option matches is told before anything else, also where all is read", (t) => {
  const options = { group: { known: mkOption({ type: types.int }) } };
  const mistaken: Loose = { config: { group: { known: () => assertNever(), unknwon: 1 } } };
  const read: readonly ((evaluated: Loose) => unknown)[] = [
    (evaluated) => evaluated.config,
    (evaluated) => evaluated.toPlain(),
    (evaluated) => evaluated.toJson(),
  ];
  for (const each of read)
    t.equal(failure(() => each(evalModules({ modules: [{ options }, mistaken] }))).reason, "unknown-option");
  const twice: Loose = evalModules({ modules: [{ options }, mistaken] });
  t.equal(failure(() => twice.toJson()).reason, "unknown-option");
  t.equal(failure(() => twice.config).reason, "unknown-option", "and again");
  t.end();
});

function assertNever(): never {
  throw new TypeError("computed, although a definition has no option");
}
