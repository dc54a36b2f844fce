import "#lib/platform/source-files.ts";
import TOML from "@iarna/toml";
import fc from "fast-check";
import assert from "node:assert/strict";
import { join } from "node:path";
import t from "tap";
import {
  codeFrame,
  definedJson,
  definedToml,
  definedValues,
  defineModule,
  describeFailure,
  EvaluationError,
  evalModules,
  type Failure,
  mkBefore,
  mkDefault,
  mkForce,
  mkFunction,
  mkIf,
  mkOption,
  type Module,
  parseData,
  schemaDocument,
  tomlDocument,
  type TomlTable,
  type TomlValue,
  types,
} from "#lib/evaluator/index.ts";

const options = {
  net: {
    hostName: mkOption({ type: types.str, default: "x", description: "Name." }),
    mode: mkOption({ type: types.enum(["dhcp", "static"]), default: "dhcp" }),
    ports: mkOption({ type: types.listOf(types.port), default: [] }),
    env: mkOption({ type: types.attrsOf(types.str), default: {} }),
    units: mkOption({
      type: types.attrsOf(types.submodule({ options: { port: mkOption({ type: types.port }) } })),
      default: {},
    }),
    routes: mkOption({
      type: types.listOf(types.submodule({ options: { to: mkOption({ type: types.str }) } })),
      default: [],
    }),
  },
};
declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    dataTests: typeof options;
  }
}

const declare = defineModule({ options });

const failureOf = (...imports: readonly string[]): Extract<Failure, { reason: "bad-data" }> => {
  try {
    void evalModules({ modules: [declare, defineModule({ imports })] }).config;
  } catch (error) {
    if (error instanceof EvaluationError && error.failure.reason === "bad-data") return error.failure;
    throw error;
  }
  throw new Error("expected the data file to be refused");
};

t.test("TOML and JSON files are modules, resolved against the importing file", async (t) => {
  const { config } = evalModules({ modules: [declare, defineModule({ imports: ["./data/network.toml"] })] });
  t.same(config.net, {
    env: { HOME: "/root" },
    hostName: "from-toml",
    mode: "dhcp",
    ports: [80, 443],
    routes: [{ to: "10.0.0.0/8" }, { to: "default" }],
    units: { web: { port: 80 } },
  });
});

t.test("definitions of data files merge with those of modules", async (t) => {
  const { config } = evalModules({
    modules: [
      declare,
      defineModule({ imports: ["./data/network.toml"], config: { net: { hostName: mkForce("forced"), ports: [22] } } }),
    ],
  });
  t.equal(config.net.hostName, "forced");
  t.same(config.net.ports, [80, 443, 22]);
});

t.test("the same file imported twice is one module", async (t) => {
  const { config } = evalModules({
    modules: [declare, defineModule({ imports: ["./data/ports.json", "./data/network.toml"] })],
  });
  t.same(config.net.ports, [80, 443]);
});

t.test("every unknown key and wrong value of a TOML file is reported with line, column and suggestion", async (t) => {
  const { file, problems } = failureOf("./data/wrong.toml");
  t.match(file, /wrong\.toml$/u);
  t.same(problems.map(({ path, line, column, suggestions }) => [path.join("."), line, column, suggestions[0]]).sort(), [
    ["net.hostNmae", 2, 1, "hostName"],
    ["net.mode", 3, 1, "static"],
    ["net.routes.1.to", 12, 1, undefined],
    ["net.units.web.prot", 6, 1, "port"],
  ]);
});

t.test("wrong elements of a JSON file are reported with their place", async (t) => {
  const { problems } = failureOf("./data/wrong.json");
  t.same(problems.map(({ path, line }) => [path.join("."), line]).sort(), [
    ["net.hostNmae", 4],
    ["net.ports.1", 3],
  ]);
});

t.test("of a file with very many mistakes the first are told, each with its place", async (t) => {
  const text = Array.from({ length: 20_000 }, (_, index) => `key${index} = 1`).join("\n");
  const file = join(t.testdir({ "many.toml": text }), "many.toml");
  const failure = failureOf(file);
  t.strictSame(
    failure.problems.map(({ line }) => line).sort((left = 0, right = 0) => left - right),
    Array.from({ length: 20_000 }, (_, index) => index + 1),
  );
  t.match(describeFailure(failure), /\n- and 19900 more\.$/);
});

t.test("of a line that goes on for ever, an error shows the part around the mistake", async (t) => {
  const file = join(t.testdir({ "line.json": `{"a${"x".repeat(5000)}": 1, "net": {"mode": "maybe"}}` }), "line.json");
  const frame = codeFrame({ file, line: 1, column: 5018 }) ?? "";
  t.match(frame, '"net": {"mode": "maybe"}}');
  const [, shown = "", mark = ""] = /> 1 \| (.*)\n.*\| (.*)$/.exec(frame) ?? [];
  t.ok(shown.length <= 160, String(shown.length));
  t.equal(shown.slice(mark.length - 1).slice(0, 6), '"mode"');
});

t.test("a file that does not parse is reported with its place", async (t) => {
  const { problems } = failureOf("./data/broken.toml");
  t.equal(problems[0]?.line, 1);
  t.throws(() => parseData("x.toml", "[valueOf]\n"), { message: /a table cannot have the name 'valueOf'/ });
});

t.test("a missing file names the importing module", async (t) => {
  t.throws(() => evalModules({ modules: [declare, defineModule({ imports: ["./data/absent.toml"] })] }).config, {
    failure: { reason: "bad-import" },
    message: /absent\.toml/u,
  });
});

t.test("the schema of the options can be written out for editors", async (t) => {
  const { schema } = evalModules({ modules: [declare] });
  const document = JSON.parse(schemaDocument(schema, "net")) as {
    properties: { net: { properties: Record<string, unknown> } };
  };
  t.match(document.properties.net.properties["hostName"], { type: "string", description: "Name.", default: "x" });
  t.match(document.properties.net.properties["mode"], { enum: ["dhcp", "static"] });
  t.match(document, { additionalProperties: false });
});

t.test("a TOML document reads back as the data that it was written from", async () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  const scalar = fc.oneof(
    text,
    fc.constantFrom("", "\n", "a\nb\n", '"', '""" "', "\\n", "\u007f\r\n\t"),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.constantFrom(0, -0, 1e21, 1e300, 5e-324, Infinity, -Infinity, Number.NaN),
  );
  // @iarna/toml takes a table like [toString] for the method of that name.
  const key = fc.oneof(
    text.filter((name) => !(name in Object.prototype)),
    fc.constantFrom("a", "b-c", "d.e", ""),
  );
  const { value } = fc.letrec<{ value: TomlValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      scalar,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 5 }), (table) => {
      const document = tomlDocument(table);
      const read = plain(TOML.parse(document));
      assert.deepStrictEqual(read, plain(table), document);
      assert.equal(tomlDocument(read as TomlTable), document);
    }),
    { numRuns: 500 },
  );
});

t.test("TOML is written in one form: sorted, tables last, lines as lines", async (t) => {
  const document = tomlDocument({
    z: { "b.c": 1.5, list: [{ a: 1 }, {}], empty: {}, none: null },
    text: 'one\n"two"\n',
    a: [1, "x", { y: [true] }],
  });
  t.equal(
    document,
    [
      'a = [1, "x", { y = [true] }]',
      'text = """',
      "one",
      '"two"',
      '"""',
      "",
      "[z]",
      '"b.c" = 1.5',
      "",
      "[z.empty]",
      "",
      "[[z.list]]",
      "a = 1",
      "",
      "[[z.list]]",
      "",
    ].join("\n"),
  );
  t.equal(tomlDocument({}), "");
  t.throws(() => tomlDocument({ a: [null] }), /no null/);
  t.throws(() => tomlDocument({ a: "\ud800" }), /half a character/);
  t.throws(() => tomlDocument({ a: 2n ** 63n }), /64 bits/);
  t.match(tomlDocument({ a: -(2n ** 63n) }), "a = -9223372036854775808");
});

t.test(
  "what modules define is one module: merged, without defaults, functions and what is not to be shown",
  async (t) => {
    const vocabulary: Module = {
      name: "words",
      options: {
        names: mkOption({ type: types.listOf(types.str), default: [] }),
        level: mkOption({ type: types.int, default: 1 }),
        other: mkOption({ type: types.nullOr(types.str), default: null }),
        password: mkOption({ type: types.str, default: "", sensitive: true }),
        call: mkOption({ type: types.raw, default: null }),
        total: mkOption({ type: types.int, readOnly: true }),
        parts: mkOption({
          type: types.attrsOf(
            types
              .submodule({
                options: {
                  size: mkOption({ type: types.int, default: 3 }),
                  label: mkOption({ type: types.str, default: "none" }),
                  twice: mkOption({ type: types.int }),
                },
              })
              .withConfig({ twice: (config) => config.size * 2 }),
          ),
          default: {},
        }),
      },
      config: {
        names: ["from the words themselves"],
        total: (config: { readonly names: readonly string[] }) => config.names.length,
      },
    } as Module;
    const evaluate = (...modules: unknown[]) =>
      evalModules<Record<string, unknown>>({ modules: [vocabulary, ...(modules as Module[])] });
    const first = evaluate(
      { name: "own", options: { mine: mkOption({ type: types.int, default: 0 }) }, config: { mine: 5 } },
      {
        name: "a",
        config: { names: ["b"], level: mkDefault(4 as never), parts: { x: { size: 7 } }, password: "secret" },
      },
      {
        name: "c",
        config: { names: mkBefore(["a"] as never), level: 2, parts: { x: { label: "seven" }, y: {} }, other: null },
      },
      { name: "d", config: { call: mkFunction(() => 1), level: mkIf(false, 9 as never) } },
    );
    const defined = definedValues(first.options, [vocabulary]);
    t.strictSame(defined, {
      values: { level: 2, names: ["a", "b"], parts: { x: { label: "seven", size: 7 }, y: {} } },
      omitted: ["call", "password"],
    });
    const text = definedToml(defined);
    t.match(text, "# Left out, since a data file cannot say it: call, password");
    const directory = t.testdir({ "all.toml": text, "all.json": definedJson(defined) });
    for (const name of ["all.toml", "all.json"]) {
      const again = evaluate(`${directory}/${name}`);
      for (const key of ["names", "level", "parts", "total"])
        t.strictSame(JSON.stringify(again.config[key]), JSON.stringify(first.config[key]), `${name}: ${key}`);
      t.strictSame(definedValues(again.options, [vocabulary]).values, defined.values);
    }
  },
);

/** Without prototypes, so that only the data counts. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.keys(value).map((key) => [key, plain(Reflect.get(value, key))]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}
