/** Data: which values the types take, in modules and by their JSON Schema, and modules that are TOML or JSON files. */
import "#lib/platform/source-files.ts";
import TOML from "@iarna/toml";
import { Ajv } from "ajv";
import fc from "fast-check";
import t from "tap";
import assert from "node:assert/strict";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  codeFrame,
  dataProblems,
  definedJson,
  definedToml,
  definedValues,
  defineModule,
  describeFailure,
  evalModules,
  EvaluationError,
  type Failure,
  keyFinder,
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
import { configOf, failure, type Loose, opt, plain, reason, sub } from "../conformance/untyped.ts";

const read = (type: Loose, value: unknown): Loose => plain(configOf({ options: { v: opt(type) } }, { v: value }).v);

const cases: Readonly<Record<string, { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }>> = {
  ipv4Address: { good: ["0.0.0.0", "192.168.1.255"], bad: ["1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", "", 4] },
  ipv6Address: {
    good: ["::", "::1", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "2001:db8::"],
    bad: [":", "1:2:3", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "::1.2.3", "fe80::1%"],
  },
  ipAddress: { good: ["10.0.0.1", "fe80::1"], bad: ["localhost", "10.0.0"] },
  ipPrefix: {
    good: ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32"],
    bad: ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/08", "/8"],
  },
  macAddress: {
    good: ["b8:27:eb:00:00:01", "B8:27:EB:00:00:01"],
    bad: ["b8-27-eb-00-00-01", "b8:27:eb:00:00", "b8:27:eb:00:00:0g"],
  },
  hostName: { good: ["helios", "a", "cm5-01", ""], bad: ["-a", "a-", "a.b", "a".repeat(64), "a_b"] },
  domainName: { good: ["example.com", "_dmarc.example.com", "a."], bad: ["", "-a.com", "a..b"] },
  systemdUnitName: {
    good: ["sshd.service", "getty@tty1.service", "dev-sda.device", "a@.timer"],
    bad: ["sshd", "a b.service", ".service"],
  },
  duration: { good: ["5", "90s", "1h 30min", "500ms", "infinity", "1.5h"], bad: ["", "fast", "5 parsecs"] },
  semanticVersion: { good: ["1.2.3", "1.0.0-rc.1+b5"], bad: ["1.2", "01.2.3", "v1.2.3"] },
  debianVersion: { good: ["2.36-9+deb12u4", "1:2.0~rc1-1", "0"], bad: ["", "a1", "1_2"] },
  fileMode: { good: ["0644", "755", "0o755", 0o644], bad: ["0888", "rwx", -1, 0o10000, "7"] },
  size: { good: ["512M", "4GiB", 4096, "0", "8 GB"], bad: ["big", -1, 1.5, "5 Q"] },
  path: { good: ["/", "/a/b"], bad: ["a", "", 1] },
  nonEmptyStr: { good: ["a"], bad: ["", "  \n"] },
  passwdEntry: { good: [], bad: [] },
};

for (const [name, { good, bad }] of Object.entries(cases)) {
  if (name === "passwdEntry") continue;
  t.test(`types.${name}: what it takes, and why it refuses the rest`, async (t) => {
    const type = (types as Loose)[name];
    const validate = new Ajv().compile(type.fields.schema());
    for (const each of good) {
      t.equal(type.check(each), true, JSON.stringify(each));
      t.equal(validate(each), true, `schema: ${JSON.stringify(each)}`);
      t.doesNotThrow(() => read(type, each));
    }
    for (const each of bad)
      t.equal(
        reason(() => read(type, each)),
        "wrong-type",
        JSON.stringify(each),
      );
  });
}

t.test("the reason of a refusal says what is wrong", async (t) => {
  const why = (type: Loose, value: unknown): string => failure(() => read(type, value)).message.split("\n")[0] ?? "";
  t.match(why(types.ipv4Address, "1.2.3.256"), '"256" is no number from 0 to 255');
  t.match(why(types.port, 70_000), "70000 is above 65535");
  t.match(why(types.ints.positive, 0), "0 is not above 0");
  t.match(why(types.int, 1.5), "1.5 is no integer");
  t.match(why(types.secret, "hunter2"), "a secret is never written out");
  t.match(why(types.functionTo(types.int), {}), "function that evaluates to a(n) signed integer");
  const kind = types.nullOr(types.enum(["simple", "oneshot"]));
  t.match(why(kind, "onehot"), 'one of "simple", "oneshot": "onehot" looks like a slip for "oneshot".');
  t.match(why(kind, "x"), 'one of "simple", "oneshot".');
});

t.test("what fits none of several types is told with what each of them takes", async (t) => {
  const told = (type: Loose, value: unknown): readonly (readonly [string, string, readonly string[]])[] =>
    dataProblems({ v: value }, { type: "object", properties: { v: type.fields.schema() } }).map((each) => [
      each.path.join("."),
      each.problem,
      each.suggestions,
    ]);
  const service = types.submodule({ options: { port: mkOption({ type: types.nullOr(types.port) }) } });
  t.strictSame(told(types.nullOr(types.enum(["simple", "oneshot"])), "onehot"), [
    ["v", 'must be one of "simple", "oneshot"', ["oneshot"]],
  ]);
  t.strictSame(told(types.nullOr(types.ints.between(16, 64)), 10), [["v", "must be >= 16, not 10", []]]);
  t.strictSame(told(types.nullOr(types.either(types.bool, types.enum(["full", "strict"]))), "stricct"), [
    ["v", '"stricct" fits none of the types this option takes: true; false; "full"; "strict"', ["strict"]],
  ]);
  t.strictSame(told(types.either(types.strMatching("[0-7]{3,4}"), types.ints.between(0, 511)), "999"), [
    ["v", '"999" fits none of the types this option takes: string matching [0-7]{3,4}; integer from 0 to 511', []],
  ]);
  t.strictSame(told(types.oneOf([types.ipv4Address, types.singleLineStr, types.number]), true), [
    ["v", "true fits none of the types this option takes: IPv4 address; single-line string; number", []],
  ]);
  // A table or a list was meant for the one type that takes such a thing, however deep the mistake is in it.
  t.strictSame(told(types.nullOr(types.either(types.str, types.listOf(types.str))), ["a", 3]), [
    ["v.1", "must be string, not 3", []],
  ]);
  t.strictSame(told(types.either(types.str, types.nullOr(service)), { port: 70_000, prot: 1 }), [
    ["v.prot", "there is no such option", ["port"]],
    ["v.port", "must be <= 65535, not 70000", []],
  ]);
  t.strictSame(told(types.attrTag({ file: mkOption({ type: types.str }), text: mkOption({ type: types.str }) }), {}), [
    ["v", "a table fits none of the types this option takes: table with file; table with text", []],
  ]);
  t.strictSame(told(types.listOf(types.nullOr(types.either(types.int, types.listOf(types.int)))), ["x", ["y"]]), [
    ["v.0", '"x" fits none of the types this option takes: integer; list', []],
    ["v.1.0", 'must be integer, not "y"', []],
  ]);
});

t.test("sizes read as bytes, modes as numbers, and equal ones in two spellings agree", async (t) => {
  t.same(
    ["1K", "1KiB", "1kB", "1KB", "512M", "1G", "7", 7].map((each) => read(types.size, each)),
    [1024, 1024, 1000, 1000, 536_870_912, 1_073_741_824, 7, 7],
  );
  t.equal(read(types.fileMode, "0755"), 0o755);
  t.equal(configOf({ options: { v: opt(types.size) } }, { v: "1M" }, { v: 1_048_576 }).v, 1_048_576);
  t.equal(
    reason(() => configOf({ options: { v: opt(types.size) } }, { v: "1M" }, { v: "2M" }).v),
    "conflict",
  );
});

t.test("a secret is neither printed nor serialised nor put into a string", async (t) => {
  const { v } = configOf({ options: { v: opt(types.secret) } }, { v: { file: "/run/secrets/key" } });
  t.same(v.reference, { file: "/run/secrets/key" });
  t.throws(() => `${v}`, /secret/u);
  t.throws(() => JSON.stringify({ v }), /secret/u);
  t.notMatch(inspect({ v }), "secrets");
});

t.test("law: what a bounded integer's schema takes is what the type takes", async (t) => {
  const range = fc.tuple(fc.integer({ min: -300, max: 300 }), fc.integer({ min: 0, max: 300 }));
  fc.assert(
    fc.property(
      range,
      fc.oneof(fc.integer({ min: -700, max: 700 }), fc.double(), fc.string()),
      ([low, width], value) => {
        const type: Loose = types.ints.between(low, low + width);
        return new Ajv().compile(type.fields.schema())(value) === type.check(value);
      },
    ),
    { numRuns: 50 },
  );
  t.pass();
});

t.test("schemas describe containers and submodules as they are written", async (t) => {
  const type: Loose = types.attrsOf(
    types.nullOr(
      sub({
        port: opt(types.port, { description: "Port." }),
        mode: opt(types.enum(["a", "b"])),
        list: opt(types.listOf(types.either(types.int, types.str))),
      }),
    ),
  );
  const validate = new Ajv({ strict: false }).compile(type.fields.schema());
  t.ok(validate({ a: null, b: { port: 80, mode: "a", list: [1, "x"] } }));
  t.notOk(validate({ b: { prot: 80 } }));
  t.notOk(validate({ b: { port: 70_000 } }));
  t.notOk(validate({ b: { list: [true] } }));
});

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

t.test("a file that is not UTF-8 is refused at the byte, and never read as something else", async (t) => {
  const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
  const directory = t.testdir({
    "latin1.toml": bytes('[net]\n# \xc3\xa9\xef\xbf\xbd\nhostName = "\xc3\xa9 caf\xe9"\n'),
    "latin1.json": bytes('{"net": {"hostName": "caf\xe9"}}'),
    "cut.toml": bytes('\xef\xbb\xbf[net]\r\nhostName = "\xef\xbf"\r\n'),
    "utf16.toml": bytes("\xff\xfe[\0n\0e\0t\0]\0"),
  });
  const refused = (name: string): string => {
    const [{ line = 0, column = 0, problem = "" } = {}] = failureOf(join(directory, name)).problems;
    return `${line}:${column} ${problem}`;
  };
  const problem = (byte: string): string => `this is not UTF-8 (byte ${byte}); save the file as UTF-8`;
  t.equal(refused("latin1.toml"), `3:18 ${problem("0xe9")}`);
  t.equal(refused("latin1.json"), `1:26 ${problem("0xe9")}`);
  t.equal(refused("cut.toml"), `2:13 ${problem("0xef")}`);
  t.equal(refused("utf16.toml"), `1:1 ${problem("0xff")}`);
  const { config } = evalModules({
    modules: [declare, join(t.testdir({ "good.toml": '[net]\nhostName = "\ufffdé😀"\n' }), "good.toml")],
  });
  t.equal(config.net.hostName, "\ufffdé😀", "the replacement character itself is a character like any other");
});

t.test("line ends of Windows and a byte order mark change neither values nor places", async (t) => {
  const text = '[net]\nhostName = "ok"\n\n[net.units.web]\nport = 80\nprot = 1\n[[net.routes]]\nto = 1\n';
  const windows = `\ufeff${text.replaceAll("\n", "\r\n")}`;
  const json = '{"net": {\n  "hostName": "ok",\n  "mode": "x"}}';
  const directory = t.testdir({
    "windows.toml": windows,
    "unix.toml": text,
    "windows.json": `\ufeff${json.replaceAll("\n", "\r\n")}`,
    "good.toml": '\ufeff[net]\r\nhostName = "ok"\r\n',
  });
  const places = (name: string): readonly unknown[] =>
    failureOf(join(directory, name)).problems.map(({ path, line, column }) => [path.join("."), line, column]);
  t.strictSame(places("unix.toml"), [
    ["net.units.web.prot", 6, 1],
    ["net.routes.0.to", 8, 1],
  ]);
  t.strictSame(places("windows.toml"), places("unix.toml"));
  t.strictSame(places("windows.json"), [["net.mode", 3, 3]]);
  const { config } = evalModules({ modules: [declare, join(directory, "good.toml")] });
  t.equal(config.net.hostName, "ok");
});

/** The mistakes of a text that cannot be read, as `line:column key: problem`. */
const mistakesOf = (file: string, text: string): readonly string[] => {
  try {
    parseData(file, text);
  } catch (error) {
    if (error instanceof EvaluationError && error.failure.reason === "bad-data")
      return error.failure.problems.map(
        ({ path, problem, line = 0, column = 0 }) => `${line}:${column} ${path.join(".")}: ${problem}`,
      );
    throw error;
  }
  return [];
};

t.test("a key that is defined twice is told with its name and place, and with the first place", async (t) => {
  const toml = (text: string): string => mistakesOf("x.toml", text).join("\n");
  t.equal(toml('[a]\nb = 1 # "b"\n  b = { c = 2 } #\n'), "3:3 a.b: it is defined already, in line 2");
  t.equal(toml("x = [\n  { 'é.q' = 1, k = '''\n=\n''', k = 2 },\n]\n"), "4:6 x.0.k: it is defined already, in line 2");
  t.equal(toml("[[a]]\n[a.b]\r\n[[a]]\r\n[a.b]\n[ a.b ]"), "5:3 a.1.b: it is defined already, in line 4");
  t.equal(toml("[a]\nb = 1\n[a.b.c]\n"), "3:2 a.b: it is defined already, in line 2");
  t.equal(toml("a.b = 1\na.b.c.d = 2"), "2:1 a.b.c.d: 'a.b' is defined already, in line 1, and cannot be added to");
  t.equal(toml("a.b = 1\n[a]\n"), "2:2 a: it is defined already, in line 1");
  t.equal(toml("a = [1]\n[[a]]\n"), "2:3 a: it is an inline array, of line 1, that nothing can be added to");
  t.equal(toml('"\\U0001F600" = 1\n"😀" = 2'), "2:1 😀: it is defined already, in line 1");
  t.strictSame(mistakesOf("x.json", '{"a": {"b": 1,\n"c": [{"d": 1, "d": 2}],\n  "b": 2}, "c": 3, "a": null}'), [
    "2:16 a.c.0.d: it is defined already, in line 2",
    "3:3 a.b: it is defined already, in line 1",
    "3:20 a: it is defined already, in line 1",
  ]);
});

t.test("what is not TOML or JSON is told once, at its line and column", async (t) => {
  const toml = (text: string): string => mistakesOf("x.toml", text).join("\n");
  t.equal(toml("?"), "1:1 : Unknown character '?'");
  t.equal(toml("a = 1\r\n\ufeffb = 2\r\n"), "2:1 : Unknown character U+FEFF");
  t.equal(toml('a = "é\\q"\n'), "1:8 : Unknown escape character 'q'");
  t.equal(toml("a = 1\nbc 2\n"), '2:4 : Invalid character, expected "="');
  t.match(toml("a = [1,\n"), /^2:1 : Unterminated inline array$/);
  t.match(toml('a = "\\UFFFFFFFF"'), /^1:16 : Invalid code point/);
  const json = (text: string): string => mistakesOf("x.json", text).join("\n");
  t.equal(json('{\r\n  "a": 1,\r\n}'), "3:1 : expected a key in double quotes, not '}'");
  t.equal(json('{"a": 1\n "b": 2}'), "2:2 : expected ',' or '}', not '\"'");
  t.equal(json('{"a": [1 2]}'), "1:10 : expected ',' or ']', not '2'");
  t.equal(json('{"a": [1,\n]}'), "2:1 : expected a value, not ']'");
  t.equal(json('{"a": tru}'), "1:7 : expected a value, not 'tru'");
  t.equal(json('{"a" 1}'), "1:6 : expected ':' after the key, not '1'");
  t.equal(json("{a: 1}"), "1:2 : expected a key in double quotes or '}', not 'a'");
  t.equal(json('{"a": "x\ny"}'), "1:9 : a string is in one line, and has control characters only as escapes");
  t.equal(json('{"a": "\\q"}'), "1:8 : there is no escape '\\q' in JSON");
  t.equal(json('{"a":\n "xyz}'), "2:2 : this string has no end");
  t.equal(json('{"a": 1} x'), "1:10 : expected nothing more, not 'x'");
  t.equal(json(""), "1:1 : expected a value, not the end of the file");
});

t.test("law: what is read of a JSON text is what JSON.parse reads, broken or not", async () => {
  const cut = fc.tuple(
    fc.json(),
    fc.nat(),
    fc.nat(3),
    fc.constantFrom("", ",", "}", "]", '"', "\\u12", "0", "-", ":", "e"),
  );
  fc.assert(
    fc.property(cut, ([valid, place, length, put]) => {
      const at = place % (valid.length + 1);
      const text = `{"in": ${valid.slice(0, at)}${put}${valid.slice(at + length)} }`;
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        assert.match(mistakesOf("x.json", text).join("\n"), /^\d+:\d+ : (?!it is defined)/u, text);
        return;
      }
      const mistakes = mistakesOf("x.json", text);
      if (mistakes.length > 0) assert.match(mistakes.join("\n"), /^\d+:\d+ in\..*: it is defined already/u, text);
      else assert.deepStrictEqual(parseData("x.json", text), parsed);
    }),
    { numRuns: 1000 },
  );
});

t.test("the places of keys are found in everything that TOML can say, however long or deep", async (t) => {
  const text = [
    "[t] # a = b",
    'k = """\nx = 1 \\""" # " """ # "',
    "long = [ '''\n[no]\ny = 2''''', # ]\n  { z.w = 1, q = [ { r = 1.5 } ] },\n]",
    '["x = y".z]',
    "k = 1979-05-27 07:32:00",
    "[[list]]",
    "[list.inner]",
    "'k' = 'a\u2028b'",
    "m = '='",
  ].join("\n");
  parseData("x.toml", text);
  const find = keyFinder("x.toml", text);
  const place = (...path: readonly string[]): string => `${find(path)?.line ?? 0}:${find(path)?.column ?? 0}`;
  t.equal(place("t", "k"), "2:1");
  t.equal(place("t", "long"), "4:1");
  t.equal(place("t", "long", "1", "z", "w"), "7:5");
  t.equal(place("t", "long", "1", "q", "0", "r"), "7:22");
  t.equal(place("t", "long", "1", "q", "0", "s"), "7:14");
  t.equal(place("x = y", "z", "k"), "10:1");
  t.equal(place("list", "0", "inner", "k"), "13:1");
  t.equal(place("list", "0", "inner", "m"), "14:1");
  t.equal(place("list", "0"), "11:3");
  t.equal(place("x"), "0:0");
  t.equal(place("y"), "0:0");

  const many = 100_000;
  const objects = `${'{"a":'.repeat(many)}1${"}".repeat(many)}`;
  t.strictSame(mistakesOf("x.json", `${objects}}`), [`1:${many * 6 + 2} : expected nothing more, not '}'`]);
  t.match(keyFinder("x.json", objects)(Array.from({ length: 200 }, () => "a")), { line: 1, column: 5 * 127 + 2 });
  t.match(keyFinder("x.toml", `${"a.".repeat(many)}a = 1\n`)(["a", "a"]), { line: 1, column: 1 });
  t.match(keyFinder("x.toml", `b = ${"[{a=".repeat(many)}`)(["b", "0", "a"]), { line: 1, column: 7 });
  const lengthy = "\\n".repeat(2 * many) + "x".repeat(2 * many);
  for (const [file, long] of [
    ["x.json", `{"s": "${lengthy}",\n"k": 1}`],
    ["x.toml", `s = "${lengthy}"\nk = 1`],
    ["x.toml", `s = """${lengthy}"""\nk = 1`],
  ] as const)
    t.match(keyFinder(file, long)(["k"]), { line: 2, column: 1 });
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
      const read = withoutPrototypes(TOML.parse(document));
      assert.deepStrictEqual(read, withoutPrototypes(table), document);
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
function withoutPrototypes(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.keys(value).map((key) => [key, withoutPrototypes(Reflect.get(value, key))]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}
