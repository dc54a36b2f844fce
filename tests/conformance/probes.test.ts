/** The extra probes: merge order, nesting of properties, introspection, error texts (nix-baseline §2.5). */
import fc from "fast-check";
import t from "tap";
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
