import fc from "fast-check";
import t from "tap";
import { evalModules, mkOption, type Module, types } from "#lib/evaluator/index.ts";
import { type Loose, mkDefault, mkForce, mkIf, opt } from "../conformance/untyped.ts";

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
