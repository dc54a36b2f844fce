import t from "tap";
import {
  defineModule,
  EvaluationError,
  evalModules,
  type Failure,
  mkForce,
  mkOption,
  schemaDocument,
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

t.test("a file that does not parse is reported with its place", async (t) => {
  const { problems } = failureOf("./data/broken.toml");
  t.equal(problems[0]?.line, 1);
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
