/**
 * Nix as the oracle, beside groups A to C of the checks: group C14, the places of declarations and definitions; the same
 * JSON by hash; none of nixpkgs' checks forgotten; and the order of merging and the texts of errors, as probed.
 */
import "#lib/platform/source-files.ts";
import fc from "fast-check";
import t from "tap";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import {
  defineModule,
  evalModules,
  type Module,
  type OptionPath,
  optionsOf,
  type Place,
} from "#lib/evaluator/index.ts";
import { oracle, setA, setB, setC } from "../bench/evaluator/sets.ts";
import {
  configOf,
  evaluate,
  failure,
  type Loose,
  mkAfter,
  mkBefore,
  mkDefault,
  mkForce,
  mkIf,
  mkMerge,
  mkOption,
  mkOptionDefault,
  mkOrder,
  mkOverride,
  never,
  opt,
  plain,
  reason,
  sub,
  types,
} from "./untyped.ts";

// Group C14: where options are declared and defined. Its own text is looked up, so this stands in the way.
const openings = /["'`({[/]/u;
const half = openings.source.length / 2; // No second "slash" of an expression.
const nested = `it's ${[half].map((each) => `{ "${each > 1 ? `}'` : "`"} \``).join("}")} ' {`;

const options = {
  placeTests: {
    direct: mkOption({ type: types.int, default: 1 }),
    nested: { deeper: mkOption({ type: types.str, default: "" }) },
    generated: Object.fromEntries(["a", "b"].map((name) => [name, mkOption({ type: types.int, default: 1 })])),
    submodule: mkOption({
      type: types.submodule({
        options: {
          inner: mkOption({ type: types.int, default: 2 }),
        },
      }),
      default: {},
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    placeTests: typeof options;
  }
}

const declare = defineModule({ options });
const define = defineModule({
  config: {
    placeTests: mkMerge([
      { direct: 5 },
      mkIf((config: Loose) => config.placeTests.direct > 1, {
        nested: {
          // A comment with direct: 7 in it, and a "string, { deeper: 1 }".
          "deeper": `a template ${"with { deeper: 2 }"}`,
        },
      }),
    ]),
  },
});

const source = (await readFile(new URL(import.meta.url), "utf8")).split("\n");
/** The text that a place points at. */
const textAt = (place: Place | undefined): string =>
  source[(place?.line ?? 0) - 1]?.slice((place?.column ?? 1) - 1) ?? "";
const optionAt = (path: OptionPath): Loose =>
  path.reduce<Loose>((at, key) => at[key], evalModules({ modules: [declare, define] }).options);

t.test("C14/1-2 a direct option: file and line", async (t) => {
  const [place] = optionAt(["placeTests", "direct"]).declarationPlaces;
  t.match(place.file, /oracle\.test\.ts$/u);
  t.match(textAt(place), /^direct: mkOption/u);
});
t.test("C14/3 a generated option: at least the file, and the line of what generates it", async (t) => {
  const [place] = optionAt(["placeTests", "generated", "a"]).declarationPlaces;
  t.match(place.file, /oracle\.test\.ts$/u);
  t.match(textAt(place), /^generated: Object\.fromEntries/u);
});
t.test("C14/4-5 an option of a submodule: the line inside", async (t) => {
  const { config } = evalModules({ modules: [declare] });
  const [place] = (optionsOf(config.placeTests.submodule) as Loose).inner.declarationPlaces;
  t.match(textAt(place), /^inner: mkOption/u);
});
t.test("C14/6 the submodule option itself", async (t) => {
  t.match(textAt(optionAt(["placeTests", "submodule"]).declarationPlaces[0]), /^submodule: mkOption/u);
});
t.test("C14/7 nested options", async (t) => {
  t.match(textAt(optionAt(["placeTests", "nested", "deeper"]).declarationPlaces[0]), /^deeper: mkOption/u);
});
t.test("C14 definitions: through mkMerge, mkIf, comments, strings and templates", async (t) => {
  const places = (path: OptionPath): readonly string[] =>
    optionAt(path)
      .provenance.filter((each: Loose) => each.status === "wins")
      .map((each: Loose) => textAt(each.place));
  t.match(places(["placeTests", "direct"])[0], /^direct: 5/u);
  t.match(places(["placeTests", "nested", "deeper"])[0], /^"deeper": `a template/u);
  t.ok(
    openings.test(source.join("\n")) && half > 0 && nested !== "",
    "after regular expressions, divisions and templates",
  );
});

const hashOf = (modules: readonly Module[]): string =>
  createHash("sha256")
    .update(JSON.stringify(evalModules({ modules }).toPlain()))
    .digest("hex");

const sets: Readonly<Record<string, () => readonly Module[]>> = {
  "A-1000": () => setA(1000, 10),
  "A-10000": () => setA(10_000, 100),
  "A-50000": () => setA(50_000, 500),
  "B-1000": () => setB(1000),
  "B-10000": () => setB(10_000),
};

for (const [name, make] of Object.entries(sets)) {
  t.test(`set ${name} has the JSON that nix-instantiate prints`, async (t) => {
    t.equal(hashOf(make()), oracle[name]);
  });
}

t.test("set C: a chain of 100,000 options evaluates", async (t) => {
  const { config } = evalModules<Record<string, number>>({ modules: setC(100_000) });
  t.equal(config["c99999"], 99_999);
});

/** The checks of nixpkgs' module tests, by group (nix-baseline §2). */
const groups =
  "A1 5, A2 3, A3 14, A4 9, A5 17, A6 14, A7 6, A8 10, A9 15, A10 6, A11 5, A12 6, A13 5, A14 7, A15 4, B1 15, B2 6, B3 6, B4 7, B5 10, B6 5, B7 6, B8 9, B9 23, B10 3, B11 4, C1 24, C2 40, C3 7, C4 8, C5 10, C6 7, C7 10, C8 9, C9 14, C10 17, C11 12, C12 7, C13 5, C14 9, C15 1, C16 7";
const checks = groups.split(", ").flatMap((group) => {
  const [name = "", count] = group.split(" ");
  return Array.from({ length: Number(count) }, (_, index) => `${name}/${index + 1}`);
});

/** "A3/4-7" at the beginning of titles or rows, as single checks. */
const named = (text: string, before: RegExp): readonly string[] =>
  [...text.matchAll(new RegExp(`${before.source}([ABC]\\d+)/(\\d+)(?:-(\\d+))?`, "gu"))].flatMap(
    ([, group, first, last = first]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${group}/${Number(first) + index}`),
  );

t.test("each of nixpkgs' 407 checks has a test or a reason not to, and few have a reason", async (t) => {
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith(".test.ts"));
  const sources = await Promise.all(files.map((file) => readFile(new URL(file, import.meta.url), "utf8")));
  const tested = sources.flatMap((source) => named(source, /t\.test\(\s*["`]/u));
  const excluded = named(await readFile(new URL("../../docs/evaluator.md", import.meta.url), "utf8"), /\n\| /u);
  t.equal(checks.length, 407);
  t.strictSame(
    checks.filter((check) => !tested.includes(check) && !excluded.includes(check)),
    [],
    "neither tested nor excluded",
  );
  t.strictSame(
    [...tested, ...excluded].filter((check) => !checks.includes(check)),
    [],
    "no such check",
  );
  t.strictSame(
    excluded.filter((check) => tested.includes(check)),
    [],
    "excluded, but tested",
  );
  t.ok(excluded.length / checks.length < 0.08, `${excluded.length} of ${checks.length} are excluded`);
  t.comment(`${checks.length - excluded.length} checks are ported, ${excluded.length} excluded`);
});

const list = (...definitions: readonly unknown[]): Loose => value(types.listOf(types.str), ...definitions);
const value = (type: Loose, ...definitions: readonly unknown[]): Loose =>
  plain(
    configOf({ options: { v: opt(type) } }, ...definitions.map((each, index) => ({ file: `${index}.ts`, v: each }))).v,
  );
const withDefault = (type: Loose, fallback: unknown, ...definitions: readonly unknown[]): Loose =>
  plain(configOf({ options: { v: opt(type, { default: fallback }) } }, ...definitions.map((v) => ({ v }))).v);
const strings = types.listOf(types.str);

t.test("probe: later modules come first in merged lists", async (t) => {
  t.same(list(["a"], ["b"]), ["b", "a"]);
});
t.test("probe: what a module imports comes before it, the last import first", async (t) => {
  const module = { imports: [{ l: ["imp1"] }, { l: ["imp2"] }], l: ["top"] };
  t.same(configOf({ options: { l: opt(strings) } }, module).l, ["imp2", "imp1", "top"]);
  t.same(configOf({ options: { l: opt(strings) } }, module, { l: ["q"] }).l, ["imp2", "imp1", "q", "top"]);
});
t.test("probe: mkMerge keeps its order", async (t) => {
  t.same(list(mkMerge([["1"], ["2"], mkIf(true, ["3"])])), ["1", "2", "3"]);
});
t.test("probe: mkBefore and mkAfter", async (t) => {
  t.same(list(mkAfter(["z"]), ["m1"], mkBefore(["a"]), ["m2"]), ["a", "m2", "m1", "z"]);
});
t.test("probe: equal orders are stable, 1000 is unmarked", async (t) => {
  t.same(list(mkOrder(700, ["x1"]), mkOrder(700, ["x2"]), mkOrder(1000, ["d1"]), ["d2"]), ["x2", "x1", "d2", "d1"]);
});
t.test("probe: a default is dropped as soon as anything is defined", async (t) => {
  t.same(withDefault(strings, ["def"], ["a"]), ["a"]);
  t.same(withDefault(types.attrsOf(types.int), { a: 1 }, { b: 2 }), { b: 2 });
});
t.test("probe: mkOptionDefault merges with the default, which comes first", async (t) => {
  t.same(withDefault(strings, ["def"], mkOptionDefault(["a"])), ["def", "a"]);
});
t.test("probe: forced lists merge with each other", async (t) => {
  t.same(list(mkForce(["a"]), mkForce(["b"]), ["c"]), ["b", "a"]);
  t.same(list(mkForce(mkAfter(["a"])), mkForce(mkBefore(["b"])), ["c"]), ["b", "a"]);
});
t.test("probe, better than nixpkgs: properties nest in any order", async (t) => {
  t.same(list(mkBefore(mkForce(["a"])), ["b"]), ["a"]);
  t.same(list(mkForce(mkIf(false, ["a"])), ["b"]), ["b"]);
  t.equal(value(types.int, mkForce(mkDefault(1)), 2), 1);
  t.equal(value(types.int, mkDefault(mkForce(1)), 2), 1);
});
t.test("law: any nesting of one priority, one order and one condition means the same", async (t) => {
  const wrappers = [
    (v: unknown) => mkOverride(60, v),
    (v: unknown) => mkOrder(300, v),
    (v: unknown) => mkIf(true, v),
    (v: unknown) => mkMerge([v]),
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(wrappers, { minLength: 4 }), (order) => {
      const wrapped = order.reduce<unknown>((inner, wrap) => wrap(inner), ["x"]);
      const result = JSON.stringify(list(wrapped, mkOverride(60, ["y"]), ["z"]));
      return result === '["x","y"]';
    }),
  );
  t.pass();
});
t.test("probe: a module imported several times counts once, a function each time", async (t) => {
  const module = { l: ["m"] };
  const make = (): Loose => ({ l: ["f"] });
  t.same(configOf({ options: { l: opt(strings) } }, module, module, { imports: [module] }).l, ["m"]);
  t.same(configOf({ options: { l: opt(strings) } }, make, make).l, ["f", "f"]);
});
t.test("probe: strings with separators", async (t) => {
  t.equal(value(types.lines, "a", mkBefore("b"), "c"), "b\nc\na");
  t.equal(value(types.separatedString("-"), "a", "b"), "b-a");
});
t.test("probe: properties per key and per element", async (t) => {
  t.same(value(types.attrsOf(types.int), { a: mkIf(false, 1), b: mkIf(true, 2), c: mkDefault(3) }, { c: 4 }), {
    b: 2,
    c: 4,
  });
  t.same(value(types.listOf(types.int), [1, mkIf(false, 2), mkForce(3)]), [1, 3]);
});
t.test("probe: the default of a submodule option is dropped as a whole", async (t) => {
  const type = sub({ x: opt(types.int, { default: 1 }), y: opt(types.int) });
  t.same(withDefault(type, { x: 5 }, { y: 7 }), { x: 1, y: 7 });
});
t.test("probe: two enums accept the values of both, the later module's first", async (t) => {
  const two = evaluate(
    { options: { v: opt(types.enum([1, 2])) } },
    { options: { v: opt(types.enum([2, 3])) } },
    { v: 1 },
  );
  t.equal(two.config.v, 1);
  t.equal(two.options.v.type.description, "one of 2, 3, 1");
});
t.test("probe: options without a type", async (t) => {
  const untyped = (...definitions: readonly unknown[]): Loose => value(types.unspecified, ...definitions);
  t.equal(untyped(1, 1), 1);
  t.equal(untyped("a", "b"), "ba");
  t.equal(untyped(false, true), true);
  t.same(untyped({ a: 1, b: 1 }, { b: 2 }), { a: 1, b: 1 });
  t.same(untyped([1], [2]), [2, 1]);
});
t.test("probe: coercedTo converts each definition, functionTo joins results", async (t) => {
  t.same(
    value(
      types.coercedTo(types.str, (text: string) => [text], strings),
      "a",
      ["b"],
    ),
    ["b", "a"],
  );
});
t.test("probe: singleLineStr drops one line break at the end", async (t) => {
  t.equal(value(types.singleLineStr, "abc\n"), "abc");
  t.equal(
    reason(() => value(types.singleLineStr, "a\nb")),
    "wrong-type",
  );
});
t.test("probe: what paths and packages are", async (t) => {
  t.same(
    ["/a", "a", "", 1].map((each) => types.path.check(each)),
    [true, false, false, false],
  );
  const bash = "/nix/store/0lz9p8xhf89kb1c1kk6jxrzskaiygnlh-bash";
  t.same(
    [bash, `${bash}/bin`, { name: "bash", toString: () => bash }, "x"].map((each) => types.package.check(each)),
    [true, false, true, false],
  );
});

const v = { file: "decl.ts", options: { v: opt(types.listOf(types.int), { default: [9] }) } };
t.test("probe: introspection of an option", async (t) => {
  const of = (...modules: readonly Loose[]): Loose => evaluate(v, ...modules).options.v;
  t.equal(evaluate({ options: { v: opt(types.int) } }).options.v.highestPrio, 9999);
  t.equal(evaluate({ options: { v: opt(types.int) } }).options.v.isDefined, false);
  t.equal(of().highestPrio, 1500);
  t.equal(of().isDefined, true);
  t.equal(of({ v: [1] }).highestPrio, 100);
  t.equal(of({ v: mkDefault([1]) }).highestPrio, 1000);
  t.same(
    of({ file: "f1", v: [1] }, { file: "f2", v: mkMerge([[2], [3]]) }, { file: "f3", v: mkDefault([4]) })
      .definitionsWithLocations,
    [
      { file: "f2", value: [2] },
      { file: "f2", value: [3] },
      { file: "f1", value: [1] },
    ],
  );
  const quoted = evaluate({ options: { a: { "b.c": { d: opt(types.int) } } } });
  t.equal(String(quoted.options.a["b.c"].d), 'a."b.c".d');
});
t.test("probe: every declared name exists, even if reading it fails", async (t) => {
  t.ok("v" in configOf({ options: { v: opt(types.int) } }));
  t.ok("v" in configOf({ options: { v: opt(types.int, { default: never }) } }));
});

const message = (...modules: readonly Loose[]): string => failure(() => plain(configOf(...modules))).message;
const int = { file: "decl.ts", options: { v: opt(types.int) } };
t.test("probe: errors name the option, the values and the files", async (t) => {
  const a = (each: unknown): Loose => ({ file: "a.ts", v: each });
  const b = (each: unknown): Loose => ({ file: "b.ts", v: each });
  t.equal(
    message(int, a(1), b(2)),
    "`v` has conflicting values:\n- in b.ts: 2\n- in a.ts: 1\nGive one of them another priority with mkForce or mkDefault, or remove all but one.",
  );
  t.equal(
    message(int, a("x")),
    '`v` is not of type signed integer.\n- in a.ts: "x"'.replace("`v`", "The value of `v`"),
  );
  t.match(
    message({ options: { v: opt(types.attrsOf(types.listOf(types.int))) } }, a({ k: [1, "x"] })),
    '`v.k."[definition 1-entry 2]"` is not of type signed integer',
  );
  t.match(
    message({ file: "decl.ts", options: { v: opt(types.int, { default: 1, readOnly: true }) } }, a(2)),
    "`v` is read-only but set more than once:\n- in decl.ts: 1\n- in a.ts: 2",
  );
  t.match(message(int, a(mkIf("yes", 1))), "mkIf takes a boolean condition");
  t.match(message(int), "`v` is read, but nothing defines it and it has no default.\n- declared in decl.ts");
  t.match(message({ options: { v: opt(types.nullOr(types.int)) } }, a(1), b(null)), "`v` is both null and not null");
  t.match(
    message(int, { file: "a.ts", options: { v: opt(types.str) } }),
    /`v`.*declared twice[^]*decl\.ts[^]*a\.ts|`v`.*declared twice[^]*a\.ts[^]*decl\.ts/u,
  );
  t.match(message({ file: "a.ts", options: {}, foo: 1 }), "`foo` stands beside `options` or `config`");
  t.match(message({ file: "a.ts", imports: [[]] }), "an element of imports is itself a list");
  t.match(
    message((): Loose => 1),
    "a number is not a module",
  );
  t.match(message({ options: { x: 1 } }), "`x`: expected an option, found a number");
});
t.test("probe: cycles name the options", async (t) => {
  t.match(message(int, { v: (c: Loose) => c.v }), "`v` depends on itself");
  t.match(message(int, { v: mkIf((c: Loose) => c.v === 1, 1) }), "`v` depends on itself");
  t.match(
    message(({ config }: Loose) => (config.v === 1 ? {} : {}), int),
    "while its own shape is still being found",
  );
});
