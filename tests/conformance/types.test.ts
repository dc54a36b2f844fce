/** Groups C of the module system's conformance checks: types in detail. */
import t from "tap";
import { type OptionPath, optionsOf } from "#lib/evaluator/index.ts";
import {
  configOf,
  evaluate,
  failure,
  type Loose,
  mkAfter,
  mkBefore,
  mkDefault,
  mkDefinition,
  mkForce,
  mkFunction,
  mkIf,
  mkMerge,
  mkOption,
  mkOptionDefault,
  mkOrder,
  never,
  opt,
  plain,
  reason,
  sub,
  types,
} from "./untyped.ts";

/** The value of one option of a type with these definitions, each in a module of its own. */
const value = (type: Loose, ...definitions: readonly unknown[]): Loose => raw(type, ...definitions).value;
const raw = (type: Loose, ...definitions: readonly unknown[]): Loose =>
  configOf(
    { options: { value: opt(type) } },
    ...definitions.map((each, index) => ({ file: `${index}.ts`, value: each })),
  );
const same = (type: Loose, ...definitions: readonly unknown[]): Loose => plain(value(type, ...definitions));
const typeOf = (...declared: readonly Loose[]): Loose =>
  evaluate(...declared.map((type, index) => ({ file: `${index}.ts`, options: { value: opt(type) } }))).options.value
    .type;
const combines = (...declared: readonly Loose[]): boolean => {
  try {
    void typeOf(...declared);
    return true;
  } catch {
    return false;
  }
};

t.test("C1/1-4 anything: records merge at every depth", async (t) => {
  const nested = same(
    types.anything,
    { a: null, l1: { a: null, l2: { a: null, l3: { a: null } } } },
    { foo: null, l1: { foo: null, l2: { foo: null, l3: { foo: null } } } },
  );
  t.same(nested, {
    a: null,
    foo: null,
    l1: { a: null, foo: null, l2: { a: null, foo: null, l3: { a: null, foo: null } } },
  });
});
t.test("C1/5 anything: an instance that prints as a path is one value", async (t) => {
  const thing = {
    get bad() {
      return never();
    },
    toString: () => "foo",
  };
  class Thing {
    readonly name = "thing";
    toString(): string {
      return "foo";
    }
  }
  const instance = new Thing();
  t.equal(value(types.anything, instance), instance);
  t.type(thing, "object");
});
t.test("C1/6 anything: different lists conflict", async (t) => {
  const error = failure(() => value(types.anything, [null], [null, null]));
  t.equal(error.reason, "conflict");
  t.match(error.message, /in 1\.ts: \[null, null\][^]*in 0\.ts: \[null\][^]*mkForce/u);
});
t.test("C1/7-13 anything: equal values may be defined twice", async (t) => {
  for (const each of [0, false, "", "/path", null, 0.1, [1, "a", { x: null }]])
    t.same(same(types.anything, each, each), each);
});
t.test("C1/14-17 anything: functions", async (t) => {
  t.type(
    value(
      types.anything,
      mkFunction((x) => x),
    ),
    "function",
  );
  const merged = value(
    types.anything,
    mkFunction((n) => ({ x: n })),
    mkFunction((n) => ({ y: n })),
  );
  t.same(plain(merged(null)), { x: null, y: null });
  t.equal(
    reason(() =>
      value(
        types.anything,
        mkFunction((n) => [n]),
        mkFunction((n) => ({ y: n })),
      )(null),
    ),
    "conflict",
  );
});
t.test("C1/18-24 anything: properties inside", async (t) => {
  const merged = same(
    types.anything,
    {
      off: mkIf(false, {}),
      on: mkIf(true, {}),
      fallback: mkDefault(0),
      merged: mkMerge([{}]),
      before: mkBefore(true),
      nested: mkMerge([
        { foo: mkDefault(0), bar: mkIf(false, {}) },
        { foo: mkIf(true, mkForce(1)), bar: { baz: "baz" } },
      ]),
    },
    { fallback: 1 },
  );
  t.same(merged, { before: true, fallback: 1, merged: {}, nested: { bar: { baz: "baz" }, foo: 1 }, on: {} });
});

const store = "/nix/store/0lz9p8xhf89kb1c1kk6jxrzskaiygnlh-bash-5.2-p15";
const stored = [`${store}.drv`, store, `${store}/bin/bash`];
const accepts = (type: Loose, each: unknown): boolean => type.check(each);
for (const [what, type] of [
  ["pathInStore", types.pathInStore],
  ["pathWith inStore", types.pathWith({ inStore: true })],
]) {
  t.test(`C2/1-16 ${what} takes what lies in the store`, async (t) => {
    for (const each of stored) t.equal(value(type, each), each);
    for (const each of ["", "/nix/store", "/nix/store/", "/nix/store/.links", "/foo/bar"]) {
      const { message } = failure(() => value(type, each));
      t.match(message, "is not of type path in the Nix store");
      t.match(message, `in 0.ts: "${each}"`);
    }
  });
}
t.test("C2/17-23 externalPath takes absolute paths outside of it", async (t) => {
  for (const each of ["/foo/bar", "/"]) t.equal(value(types.externalPath, each), each);
  for (const each of [...stored, "", "./foo/bar"]) {
    t.match(failure(() => value(types.externalPath, each)).message, "absolute path not in the Nix store");
  }
});
t.test("C2/24-31 pathWith not in the store", async (t) => {
  const type = types.pathWith({ inStore: false });
  for (const each of ["/foo/bar", "/nix/store", "/nix/store/", "", "/nix/store/.links"])
    t.equal(value(type, each), each);
  for (const each of stored) t.match(failure(() => value(type, each)).message, "path not in the Nix store");
});
t.test("C2/33-40 pathWith: any, absolute, contradicting", async (t) => {
  t.ok(accepts(types.pathWith({}), "/abs") && accepts(types.pathWith({}), "./rel"));
  t.match(failure(() => value(types.pathWith({}), 42)).message, "is not of type path");
  const absolute = types.pathWith({ inStore: false, absolute: true });
  t.equal(value(absolute, "/abs"), "/abs");
  t.match(failure(() => value(absolute, "./rel")).message, "absolute path not in the Nix store");
  t.equal(
    reason(() => value(absolute, store)),
    "wrong-type",
  );
  t.notOk(combines(types.pathWith({ absolute: true }), types.pathWith({ absolute: false })));
  t.throws(() => types.pathWith({ inStore: true, absolute: false }), /absolute/u);
});

t.test("C3/1-2 functionTo: one function, and lists that join when it is called", async (t) => {
  t.equal(
    value(
      types.functionTo(types.str),
      mkFunction((input) => `input is ${input}`),
    )("input"),
    "input is input",
  );
  t.same(
    value(
      types.functionTo(types.listOf(types.str)),
      mkFunction(() => ["b"]),
      mkFunction(() => ["a"]),
    )(0),
    ["a", "b"],
  );
});
t.test("C3/3 functionTo: a wrong result names the option", async (t) => {
  const { message } = failure(() =>
    value(
      types.functionTo(types.str),
      mkFunction(() => 1),
    )(0),
  );
  t.match(message, "`value.<function body>` is not of type string");
  t.match(message, "in 0.ts: 1");
});
t.test("C3/4-5 functionTo: properties inside of results", async (t) => {
  t.same(
    value(
      types.functionTo(types.listOf(types.str)),
      mkFunction(() => mkAfter(["a"])),
      mkFunction(() => ["b"]),
    )(0),
    ["b", "a"],
  );
  const attrs = value(
    types.functionTo(types.attrsOf(types.str)),
    mkFunction(() => ({ a: "a", b: "b" })),
    mkFunction(() => ({ b: mkForce("c") })),
  );
  t.same(plain(attrs(0)), { a: "a", b: "c" });
});
t.test("C3/6-7 functionTo: submodule results declared twice have both modules' options", async (t) => {
  const a = types.functionTo(sub({ a: opt(types.str, { default: "a" }) }));
  const b = types.functionTo(sub({ b: opt(types.str, { default: "bee" }) }));
  const config = configOf(
    { options: { fun: opt(a) } },
    { options: { fun: opt(b) } },
    { fun: mkFunction((input) => ({ b: input })) },
  );
  t.same(plain(config.fun("bee")), { a: "a", b: "bee" });
});

const only = types.unique({ message: "We need the whole value at once." }, types.attrsOf(types.str));
t.test("C4/1-2 unique: two definitions are refused with the reason", async (t) => {
  const { message } = failure(() => value(only, { a: "a" }, { b: "b" }));
  t.match(message, "takes only one definition");
  t.match(message, "We need the whole value at once.");
});
t.test("C4/3-4 unique: elements are checked when read, priorities decide first", async (t) => {
  const bad = value(only, { a: 1, b: "b" });
  t.equal(bad.b, "b");
  t.match(failure(() => bad.a).message, "`value.a` is not of type string");
  t.equal(value(only, { b: "a" }, mkForce({ b: "bee" })).b, "bee");
});
t.test("C4/5-8 raw: nothing inside is touched", async (t) => {
  const nested = value(types.raw, { foo: mkIf(true, 1), fails: never });
  t.type(nested.fails, "function");
  t.equal(value(types.raw, mkIf(true, 10)), 10);
  t.match(failure(() => value(types.raw, "foo", "foo")).message, "takes only one definition");
  t.equal(value(types.raw, mkDefault("foo"), "bar"), "bar");
});

const intOrText = types.attrTag({ left: opt(types.int), right: opt(types.str) });
t.test("C5/1 attrTag: exactly one tag with a value of its type", async (t) => {
  t.same(same(intOrText, { left: 1 }), { left: 1 });
  t.same(same(types.attrsOf(intOrText), { hello: { right: "hello world" } }), { hello: { right: "hello world" } });
  const [yay, nay] = [
    types.attrTag({ yay: opt(types.int), both: opt(types.enum(["foo"])) }),
    types.attrTag({ nay: opt(types.bool), both: opt(types.enum(["bar"])) }),
  ];
  const merged = configOf(
    { options: { m: opt(types.attrsOf(yay)) } },
    { options: { m: opt(types.attrsOf(nay)) } },
    { m: { a: { nay: false }, b: { yay: 100 }, c: { both: "foo" }, d: { both: "bar" } } },
  );
  t.same(plain(merged.m), { a: { nay: false }, b: { yay: 100 }, c: { both: "foo" }, d: { both: "bar" } });
});
for (const [index, wrong] of [
  1,
  {},
  { a: true, b: true },
  mkMerge([{ a: true }, { b: true }]),
  { rite: never },
].entries()) {
  t.test(`C5/2-6 attrTag: wrong syntax ${index + 1} names the choices`, async (t) => {
    t.match(failure(() => value(intOrText, wrong)).message, "attribute-tagged union with choices: left, right");
  });
}
t.test("C5/7 attrTag: two tags conflict", async (t) => {
  t.match(
    failure(() => value(intOrText, { left: 1 }, { right: "x" })).message,
    "is defined both as `right` and as `left`",
  );
});
t.test("C5/8-9 attrTag: a wrong value names the tag's path", async (t) => {
  t.match(failure(() => value(intOrText, { left: "bad" })).message, "`value.left` is not of type signed integer");
  const nested = types.attrTag({ left: opt(types.int), right: opt(intOrText) });
  t.match(
    failure(() => value(nested, { right: { left: "not a number" } })).message,
    "`value.right.left` is not of type signed integer",
  );
});
t.test("C5/10 attrTag: a tag must be an option", async (t) => {
  t.throws(() => types.attrTag({ int: types.int }), /tag `int`.*mkOption/u);
});

const list = types.attrListOf(types.str);
t.test("C6/1 attrListOf: entries with order, priorities and conditions", async (t) => {
  t.same(same(list, [{ a: "alpha" }, { b: "beta" }]), [{ a: "alpha" }, { b: "beta" }]);
  t.same(same(list, { x: mkOrder(200, "x"), y: mkOrder(100, "y") }), [{ y: "y" }, { x: "x" }]);
  t.same(same(list, mkMerge([[{ m: "list" }], { n: mkOrder(50, "record") }])), [{ n: "record" }, { m: "list" }]);
  t.same(same(list, [{ b: "2" }], [{ a: "1" }]), [{ a: "1" }, { b: "2" }]);
  t.same(same(list, []), []);
  t.same(same(list, [mkAfter({ z: "after" }), { m: "default" }, mkBefore({ a: "before" })]), [
    { a: "before" },
    { m: "default" },
    { z: "after" },
  ]);
  t.same(same(list, mkMerge([mkIf(true, [{ yes: "in" }]), mkIf(false, [{ no: "out" }])])), [{ yes: "in" }]);
  t.same(same(list, mkMerge([[{ gone: "gone" }], mkForce([{ forced: "wins" }])])), [{ forced: "wins" }]);
  t.same(
    same(types.attrListOf(types.int), [{ a: mkDefault(never) }, { a: mkForce(42) }, { b: 2 }, { c: mkIf(false, 3) }]),
    [{ a: 42 }, { b: 2 }],
  );
  t.same(
    same(
      list,
      mkMerge([
        { x: mkOrder(1500, mkForce("late")), z: mkOrder(500, "first") },
        { x: "unused", w: mkOrder(1200, "mid"), y: "plain" },
      ]),
    ),
    [{ z: "first" }, { y: "plain" }, { w: "mid" }, { x: "late" }],
  );
  const last = types.attrListWith({
    elemType: types.str,
    asAttrs: true,
    mergeAttrValues: (_name: string, values: readonly string[]) => values.at(-1),
  });
  t.same(same(last, [{ x: "first" }, { y: "only" }, { x: "last" }]), { x: "last", y: "only" });
  t.same(same(types.attrListWith({ elemType: types.int, asAttrs: true }), [{ x: 10 }, { y: 99 }, { x: 20 }]), {
    x: [10, 20],
    y: [99],
  });
  t.same(same(types.either(list, types.int), [{ a: "hello" }]), [{ a: "hello" }]);
  t.equal(same(types.either(list, types.int), 42), 42);
  t.same(
    same(types.attrListOf(sub({ port: opt(types.int), host: opt(types.str, { default: "localhost" }) })), [
      { web: { port: 80 } },
    ]),
    [{ web: { host: "localhost", port: 80 } }],
  );
});
t.test("C6/2-5 attrListOf: wrong values and entries", async (t) => {
  t.match(
    failure(() => value(types.attrListOf(types.int), [{ a: "x" }])).message,
    "`value.a` is not of type signed integer",
  );
  t.match(failure(() => value(list, [{ a: "ok", b: "extra" }])).message, "one has 2");
  t.match(failure(() => value(list, "text")).message, "attribute list of string");
  t.match(failure(() => value(list, ["text"])).message, "one is a string");
});
t.test("C6/6-7 attrListOf declared twice does not combine", async (t) => {
  t.notOk(combines(list, types.attrListOf(types.str)));
});

const val = types.serializableValueWith({ typeName: "VAL" });
t.test("C7/1-7 serialisable values", async (t) => {
  for (const each of [null, true, 1, 1.1, "foo", store, { foo: 1 }, [{ bar: [1] }]]) t.same(same(val, each), each);
});
t.test("C7/9-10 functions are none, and null only where the format has it", async (t) => {
  t.match(
    failure(() =>
      value(
        val,
        mkFunction((x) => x),
      ),
    ).message,
    "is not of type VAL value",
  );
  const strict = types.serializableValueWith({ typeName: "VAL", nullable: false });
  t.match(
    failure(() => same(strict, { null: null })).message,
    "`value.null` is not of type VAL value: VAL has no null",
  );
});

t.test("C9/1-4 addCheck on scalars and containers", async (t) => {
  const even = types.addCheck(types.int, (n: number) => n % 2 === 0, "it is odd");
  t.equal(value(even, 0), 0);
  t.match(failure(() => value(even, 1)).message, "is not of type signed integer: it is odd");
  const small = types.addCheck(types.attrsOf(types.int), (record: object) => Object.keys(record).length < 2);
  t.same(same(small, { a: 1 }), { a: 1 });
  t.equal(
    reason(() => value(small, { a: 1, b: 2 })),
    "wrong-type",
  );
});
t.test("C9/5-12 a type cannot be changed after it is made: addCheck is the way", async (t) => {
  for (const type of [
    types.int,
    types.attrsOf(types.int),
    types.either(types.int, types.str),
    sub({}),
    types.coercedTo(types.int, String, types.str),
  ]) {
    t.throws(() => {
      type.check = () => true;
    }, TypeError);
  }
});
t.test("C9/13-14 a failing check inside a container names the element", async (t) => {
  const even = types.addCheck(types.int, (n: number) => n % 2 === 0);
  t.match(
    failure(() => value(types.attrsOf(types.attrsOf(even)), { bar: { baz: 1 } }).bar.baz).message,
    "`value.bar.baz`",
  );
  t.same(same(types.listOf(even), [2]), [2]);
});

t.test("C10/1-16 either does not accept what neither type accepts, also inside freeform", async (t) => {
  for (const type of [
    types.either(types.int, types.bool),
    types.nullOr(types.either(types.int, types.bool)),
    types.oneOf([types.int, types.bool]),
    types.number,
  ]) {
    t.equal(
      reason(() => configOf({ freeformType: types.attrsOf(type), config: { foo: "foo" } }).foo),
      "wrong-type",
    );
    t.equal(
      reason(() => configOf({ freeformType: types.attrsOf(type), config: { foo: {} } }).foo),
      "wrong-type",
    );
  }
});
t.test("C10/17 … and accepts what one does", async (t) => {
  t.equal(configOf({ freeformType: types.attrsOf(types.number), config: { int: 42 } }).int, 42);
});

t.test("C11/1-2 no option below an option that has no room for it", async (t) => {
  const error = failure(() =>
    configOf(
      { options: { set: opt(types.attrsOf(types.int)) } },
      { file: "below.ts", options: { set: { enable: opt(types.bool) } } },
    ),
  );
  t.equal(error.reason, "bad-declaration");
  t.match(error.message, /`set`.*attribute set of signed integer.*`enable`.*below\.ts/u);
});
t.test("C11/3-5 something else where an option is expected", async (t) => {
  const error = failure(() => configOf({ file: "m.ts", options: { result: types.int } }));
  t.match(error.message, /`result`.*expected an option, found a bare type/u);
  t.match(error.message, "mkOption");
  t.match(failure(() => configOf({ options: { result: { here: types.int } } })).message, "`result.here`");
  t.match(failure(() => configOf({ options: { result: evaluate() } })).message, "an evaluated configuration");
});
t.test("C11/6-7 an option as a value that is then declared", async (t) => {
  const { option } = configOf(
    { options: { option: opt(types.optionDeclaration) } },
    { option: opt(types.int, { default: 10 }) },
  );
  t.equal(configOf({ options: { anOption: option } }).anOption, 10);
  t.match(failure(() => value(types.optionDeclaration, 1)).message, "is not of type option declaration");
});
t.test("C11/8-9 types as values merge", async (t) => {
  const { theType } = configOf(
    { options: { theType: opt(types.optionType) } },
    { theType: sub({ int: opt(types.int, { default: 10 }) }) },
    { theType: sub({ str: opt(types.str) }) },
  );
  t.same(plain(configOf({ options: { theOption: opt(theType) } }, { theOption: { str: "hello" } }).theOption), {
    int: 10,
    str: "hello",
  });
});
t.test("C11/10 … and name the files of conflicting inner declarations", async (t) => {
  const inner = (file: string): Loose =>
    types.submoduleWith({ modules: [{ file, options: { nested: opt(types.int, { default: 1 }) } }] });
  const { theType } = configOf(
    { options: { theType: opt(types.optionType) } },
    { theType: inner("a.ts") },
    { theType: inner("b.ts") },
  );
  const { message } = failure(() => plain(configOf({ options: { theOption: opt(theType, { default: {} }) } })));
  t.match(message, "`theOption.nested`");
  t.match(message, "a.ts");
  t.match(message, "b.ts");
});
t.test("C11/11-12 a type of one's own is used untouched, and merges where it says how", async (t) => {
  const own = types.mkOptionType({ name: "own", merge: () => "ok" });
  t.equal(configOf({ freeformType: types.attrsOf(own), config: { foo: "x" } }).foo, "ok");
});

t.test("C12/1-4 a record's keys and a list's length are known from the value", async (t) => {
  t.same(Object.keys(value(types.attrsOf(types.str), { foo: "1", bar: "2" })), ["bar", "foo"]);
  t.equal(value(types.listOf(types.str), ["a", "b"]).length, 2);
});
t.test("C12/5-7 the options behind submodule values, also when declared twice", async (t) => {
  const bar = sub({ bar: opt(types.int, { default: 42 }) });
  const first = (record: Loose): Loose => (optionsOf(record) as Loose).bar.value;
  t.equal(first(value(types.attrsOf(bar), { foo: {} }).foo), 42);
  t.equal(first(value(types.listOf(bar), [{}])[0]), 42);
  const twice = configOf(
    { options: { v: opt(types.attrsOf(bar)) } },
    { options: { v: opt(types.attrsOf(sub({ baz: opt(types.int, { default: 1 }) }))) } },
    { v: { foo: {} } },
  );
  t.equal(first(twice.v.foo), 42);
});

t.test("C13/1 mkDefinition: its file is shown in conflicts", async (t) => {
  const { message } = failure(
    () =>
      configOf(
        { options: { c: opt(types.int) } },
        { file: "file", c: 1 },
        { c: mkDefinition({ file: "other", value: 42 }) },
      ).c,
  );
  t.match(message, "in file: 1");
  t.match(message, "in other: 42");
});
t.test(
  "C13/2-5 mkDefinition works in config, in mkMerge, around mkForce, and better than nixpkgs as a default",
  async (t) => {
    t.equal(value(types.bool, mkDefinition({ file: "f", value: true })), true);
    t.equal(value(types.bool, mkMerge([mkDefinition({ file: "f", value: true })])), true);
    t.equal(value(types.bool, false, mkDefinition({ file: "f", value: mkForce(true) })), true);
    t.equal(
      configOf({ options: { v: opt(types.bool, { default: mkDefinition({ file: "f", value: true }) }) } }).v,
      true,
    );
  },
);

const describe = (type: Loose): string => type.description;
const vectors: readonly (readonly [Loose, string])[] = [
  [types.attrsOf(types.attrsOf(types.str)), "attribute set of attribute set of string"],
  [
    types.oneOf([types.attrsOf(types.str), types.int, types.bool]),
    "(attribute set of string) or signed integer or boolean",
  ],
  [types.attrsOf(types.either(types.int, types.str)), "attribute set of (signed integer or string)"],
  [types.attrsOf(types.nullOr(types.str)), "attribute set of (null or string)"],
  [types.attrsOf(types.ints.positive), "attribute set of (positive integer, meaning >0)"],
  [types.attrsOf(types.enum(["a", "b"])), 'attribute set of (one of "a", "b")'],
  [types.attrsOf(types.nonEmptyListOf(types.str)), "attribute set of non-empty (list of string)"],
  [
    types.attrsOf(types.coercedTo(types.str, Number, types.int)),
    "attribute set of (signed integer or string convertible to it)",
  ],
  [types.attrsOf(sub({})), "attribute set of (submodule)"],
  [
    types.attrsOf(types.ints.u32),
    "attribute set of 32 bit unsigned integer; between 0 and 4294967295 (both inclusive)",
  ],
  [
    types.coercedTo(types.listOf(types.str), Object, types.attrsOf(types.str)),
    "(attribute set of string) or (list of string) convertible to it",
  ],
  [types.either(types.either(types.int, types.str), types.bool), "signed integer or string or boolean"],
  [types.either(types.ints.positive, types.str), "positive integer, meaning >0, or string"],
  [types.either(types.bool, types.listOf(types.str)), "boolean or list of string"],
  [types.either(types.listOf(types.str), types.bool), "(list of string) or boolean"],
  [types.either(types.bool, sub({})), "boolean or (submodule)"],
  [types.either(types.functionTo(types.str), types.bool), "(function that evaluates to a(n) string) or boolean"],
  [types.either(types.nonEmptyListOf(types.str), types.bool), "(non-empty (list of string)) or boolean"],
  [types.nullOr(types.listOf(types.str)), "null or (list of string)"],
  [types.nullOr(types.ints.positive), "null or (positive integer, meaning >0)"],
  [
    types.passwdEntry(types.either(types.int, types.str)),
    "(signed integer or string), not containing newlines or colons",
  ],
  [
    types.submodule({ options: {}, freeformType: types.attrsOf(types.either(types.int, types.str)) }),
    "open submodule of attribute set of (signed integer or string)",
  ],
  [types.enum([]), "impossible (empty enum)"],
  [types.enum(["single"]), 'value "single" (singular enum)'],
  [types.enum([true, null, false]), "one of true, <null>, false"],
  [types.separatedString("\n"), 'strings concatenated with "\\n"'],
];
t.test("C15/1 descriptions of composed types", async (t) => {
  for (const [type, text] of vectors) t.equal(describe(type), text);
});

t.test("C16/1 meta beside configuration counts once", async (t) => {
  const meta = { options: { meta: { foo: opt(types.listOf(types.str)) } } };
  t.same(configOf(meta, { meta: { foo: ["one", "two"] } }).meta.foo, ["one", "two"]);
});
t.test("C16/2 a module that is a condition around a boolean is refused", async (t) => {
  t.match(failure(() => configOf(mkIf(true, true))).message, "a boolean stands for `config`");
});
t.test("C16/3 priorities per key are known without values", async (t) => {
  const keys = { a: mkDefault(never), b: never, c: mkForce(never) };
  const { options } = evaluate({ options: { value: opt(types.attrsOf(types.int)) } }, { value: keys });
  t.same(options.value.keyPriorities, { a: 1000, b: 100, c: 50 });
});
t.test("C16/4 an argument's default does not stop what is defined from arriving", async (t) => {
  const module = ({ given = "fallback" }: Loose): Loose => ({ options: { x: opt(types.str, { default: given }) } });
  t.equal(evaluate(module, { options: {} }).extendModules({ specialArgs: { given: "passed" } }).config.x, "passed");
});
t.test("C16/7 strMatching declared twice combines when the pattern is the same", async (t) => {
  t.equal(typeOf(types.strMatching("a+"), types.strMatching("a+")).name, 'strMatching "a+"');
  t.notOk(combines(types.strMatching("a+"), types.strMatching("b+")));
});

t.test("C types agree on what two declarations accept", async (t) => {
  const yes: readonly (readonly [Loose, Loose])[] = [
    [types.str, types.str],
    [types.listOf(types.str), types.listOf(types.str)],
    [types.nullOr(types.int), types.nullOr(types.int)],
    [types.either(types.int, types.str), types.either(types.int, types.str)],
    [sub({}), types.submoduleWith({ shorthandOnlyDefinesConfig: true, modules: [] })],
    [types.lines, types.lines],
    [types.enum(["a"]), types.enum(["b"])],
    [types.uniq(types.int), types.uniq(types.int)],
    [types.deferredModule, types.deferredModule],
    [types.json, types.json],
  ];
  const no: readonly (readonly [Loose, Loose])[] = [
    [types.str, types.int],
    [types.attrsOf(types.int), types.lazyAttrsOf(types.int)],
    [types.either(types.int, types.str), types.either(types.str, types.int)],
    [types.coercedTo(types.int, String, types.str), types.coercedTo(types.int, String, types.str)],
    [types.lines, types.commas],
    [types.path, types.pathWith({})],
  ];
  for (const [a, b] of yes) t.ok(combines(a, b), `${describe(a)} + ${describe(b)}`);
  for (const [a, b] of no) t.notOk(combines(a, b), `${describe(a)} + ${describe(b)}`);
});
t.test("C a check survives a second declaration, where nixpkgs loses it", async (t) => {
  const twice = (type: Loose, bad: unknown): string =>
    reason(() => plain(configOf({ options: { v: opt(type) } }, { options: { v: opt(type) } }, { v: bad }).v));
  const cases: readonly (readonly [Loose, unknown])[] = [
    [types.ints.u8, 70_000],
    [types.ints.between(1, 5), 6],
    [types.port, 70_000],
    [types.nonEmptyListOf(types.int), []],
    [types.passwdEntry(types.str), "a:b"],
    [types.numbers.between(0, 1), 2],
    [types.addCheck(types.int, (n: number) => n > 0), 0],
    [types.addCheck(sub({ a: opt(types.int) }), (v: Loose) => "a" in v), {}],
  ];
  for (const [type, bad] of cases) t.equal(twice(type, bad), "wrong-type");
  t.equal(
    reason(
      () =>
        configOf(
          { options: { v: opt(types.ints.between(0, 10)) } },
          { options: { v: opt(types.ints.between(5, 20)) } },
          { v: 3 },
        ).v,
    ),
    "wrong-type",
  );
  t.equal(
    reason(() =>
      value(
        types.addCheck(sub({ a: opt(types.int) }), () => false),
        {},
      ),
    ),
    "wrong-type",
  );
  t.type(mkOptionDefault, "function");
  t.type([] satisfies OptionPath, "object");
  t.type(mkOption, "function");
});
