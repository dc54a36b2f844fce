/** Groups A of the module system's conformance checks: everyday behaviour. `A3/4-7` in a title: the fourth to the seventh of its checks. */
import t from "tap";
import {
  configOf,
  evaluate,
  failure,
  type Loose,
  mkDefault,
  mkForce,
  mkIf,
  mkMerge,
  mkOption,
  never,
  opt,
  plain,
  reason,
  sub,
  types,
} from "./untyped.ts";

const enableOption = { options: { enable: opt(types.bool, { default: false }) } };
const enabled = { enable: true };

t.test("A1/1 a declared option without definition has its default", async (t) => {
  t.equal(configOf(enableOption).enable, false);
});
t.test("A1/2 a definition without declaration is an error that shows the definition and its place", async (t) => {
  const error = failure(() => configOf({ file: "define.ts", ...enabled }).enable);
  t.equal(error.reason, "unknown-option");
  t.match(error.message, "There is no option `enable`");
  t.match(error.message, "in define.ts: true");
});
t.test("A1/3 a value that throws does not hide which definition has no option", async (t) => {
  const error = failure(() => configOf({ file: "define.ts", enable: never }).enable);
  t.equal(error.reason, "unknown-option");
  t.match(error.message, "in define.ts");
  t.notMatch(error.message, "must not be computed");
});

t.test("A2/1 a plain definition counts", async (t) => {
  t.equal(configOf(enableOption, enabled).enable, true);
});
t.test("A2/2 a module that is forced as a whole wins", async (t) => {
  t.equal(configOf(enableOption, enabled, mkForce({ enable: false })).enable, false);
});
t.test("A2/3 a forced value wins", async (t) => {
  t.equal(configOf(enableOption, enabled, { enable: mkForce(false) }).enable, false);
});

const subs = {
  options: { s: opt(types.attrsOf(sub({ enable: opt(types.bool, { default: false }) })), { default: {} }) },
};
const forces: readonly (readonly [string, Loose])[] = [
  ["the module", mkForce({ s: { foo: { enable: false } } })],
  ["the option", { s: mkForce({ foo: { enable: false } }) }],
  ["the entry", { s: { foo: mkForce({ enable: false }) } }],
  ["the value", { s: { foo: { enable: mkForce(false) } } }],
];
t.test("A3/1 an attrsOf submodule without definitions is empty", async (t) => {
  t.notOk("foo" in configOf(subs).s);
});
t.test("A3/2 an empty entry gets its defaults", async (t) => {
  t.equal(configOf(subs, { s: { foo: {} } }).s.foo.enable, false);
});
t.test("A3/3 a value in an entry counts", async (t) => {
  t.equal(configOf(subs, { s: { foo: { enable: true } } }).s.foo.enable, true);
});
for (const [what, module] of forces) {
  t.test(`A3/4-7 mkForce around ${what} replaces the value`, async (t) => {
    t.equal(configOf(subs, { s: { foo: { enable: true } } }, module).s.foo.enable, false);
  });
}
t.test("A3/8 an entry nobody defines is absent", async (t) => {
  t.notOk("bar" in configOf(subs, { s: { foo: {} } }).s);
});
t.test("A3/9 a second entry gets its defaults", async (t) => {
  t.equal(configOf(subs, { s: { foo: {} } }, { s: { bar: {} } }).s.bar.enable, false);
});
t.test("A3/10 a value in a second entry counts", async (t) => {
  t.equal(configOf(subs, { s: { foo: {} } }, { s: { bar: { enable: true } } }).s.bar.enable, true);
});
for (const [index, [what, module]] of forces.entries()) {
  const kept = index >= 2;
  t.test(`A3/11-14 mkForce around ${what} ${kept ? "keeps" : "discards"} sibling entries`, async (t) => {
    const { s } = configOf(subs, { s: { foo: {} } }, { s: { bar: { enable: true } } }, module);
    t.equal("bar" in s, kept);
    if (kept) t.equal(s.bar.enable, true);
  });
}

const ifs: readonly (readonly [string, Loose, boolean])[] = [
  ["the module", mkIf((c: Loose) => c.enable, { s: { foo: { enable: true } } }), false],
  ["the option", { s: mkIf((c: Loose) => c.enable, { foo: { enable: true } }) }, false],
  ["the entry", { s: { foo: mkIf((c: Loose) => c.enable, { enable: true }) } }, false],
  ["the value", { s: { foo: { enable: mkIf((c: Loose) => c.enable, true) } } }, true],
];
t.test("A4/1 without definitions there is no entry", async (t) => {
  t.notOk("foo" in configOf(subs, enableOption).s);
});
for (const [what, module, exists] of ifs) {
  t.test(`A4/2-5 mkIf around ${what} with a condition on config that does not hold`, async (t) => {
    const { s } = configOf(subs, enableOption, module);
    t.equal("foo" in s, exists);
    if (exists) t.equal(s.foo.enable, false);
  });
  t.test(`A4/6-9 mkIf around ${what} with a condition on config that holds`, async (t) => {
    t.equal(configOf(subs, enableOption, enabled, module).s.foo.enable, true);
  });
}

const free = { freeformType: types.attrsOf(types.either(types.str, types.attrsOf(types.str))), config: {} };
const lazyFree = { freeformType: types.lazyAttrsOf(types.either(types.str, types.lazyAttrsOf(types.str))), config: {} };
t.test("A5/1 freeform: an undeclared value is accepted", async (t) => {
  t.equal(configOf(free, { value: "24" }).value, "24");
});
t.test("A5/2 freeform: nothing defined is an empty configuration", async (t) => {
  t.same(plain(configOf(free)), {});
});
t.test("A5/3 freeform: an undeclared value must have the freeform type", async (t) => {
  const error = failure(() => configOf(free, { file: "f.ts", value: [] }).value);
  t.equal(error.reason, "wrong-type");
  t.match(error.message, "string or attribute set of string");
  t.match(error.message, "in f.ts: []");
});
t.test("A5/4 freeform: properties are honoured", async (t) => {
  const module = { imports: [{ value: mkDefault("def") }], value: mkMerge([mkIf(false, "nope"), "yes"]) };
  t.equal(configOf(free, module).value, "yes");
});
t.test("A5/5-6 freeform: declared options may have another type", async (t) => {
  const config = configOf(free, enableOption, { value: "24" });
  t.equal(config.enable, false);
  t.equal(config.value, "24");
});
t.test("A5/7-8 freeform: undeclared values beside nested declared options; siblings stay uncomputed", async (t) => {
  const nested = {
    options: {
      nest: { foo: opt(types.bool, { default: false }), unused: opt(types.attrsOf(types.str), { default: never }) },
    },
    config: { nest: { bar: "bar" } },
  };
  const config = configOf(free, nested);
  t.equal(config.nest.foo, false);
  t.equal(config.nest.bar, "bar");
});
t.test("A5/9-11 freeform: a declared option may depend on an undeclared value", async (t) => {
  const module = {
    options: { foo: opt(types.nullOr(types.str), { default: null }) },
    config: {
      foo: mkIf(
        (c: Loose) => "value" in c,
        (c: Loose) => c.value,
      ),
    },
  };
  t.equal(configOf(free, module).foo, null);
  t.equal(configOf(free, module, { value: "24" }).foo, "24");
});
const dependent = {
  options: { value: opt(types.nullOr(types.str), { default: null }) },
  config: {
    foo: mkIf(
      (c: Loose) => c.value !== null,
      (c: Loose) => c.value,
    ),
  },
};
t.test(
  "A5/11 freeform: an undeclared value may depend on a declared option, better than nixpkgs also with attrsOf",
  async (t) => {
    t.notOk("foo" in configOf(free, dependent));
    t.equal(configOf(free, dependent, { value: "24" }).foo, "24");
  },
);
t.test("A5/12-13 freeform lazyAttrsOf: a value under a false condition is undefined when read", async (t) => {
  t.equal(
    reason(() => configOf(lazyFree, { ...dependent }).foo),
    "undefined-option",
  );
  t.equal(configOf(lazyFree, dependent, { value: "24" }).foo, "24");
});
t.test("A5 freeform: meta in a module without options or config is configuration", async (t) => {
  const config = configOf(free, { meta: "m", a: "1", b: "2" });
  t.same([config.meta, config.a, config.b], ["m", "1", "2"]);
});
t.test("A5/15-17 freeform: freeform types given twice are merged, submodules included", async (t) => {
  const submodule = types.submoduleWith({
    modules: [
      {
        config: {
          _module: {
            freeformType: mkMerge([
              types.attrsOf(sub({ foo: opt(types.int) })),
              types.attrsOf(sub({ bar: opt(types.int) })),
            ]),
          },
        },
      },
    ],
  });
  const { free: value } = configOf(
    { options: { free: opt(submodule) } },
    { free: { xxx: { foo: 10, bar: 1 }, yyy: { bar: 10, foo: 1 } } },
  );
  t.equal(value.xxx.foo, 10);
  t.equal(value.yyy.bar, 10);
});

t.test("A6/1 a submodule's specialArgs shadow the outer ones", async (t) => {
  const type = types.submoduleWith({
    specialArgs: { label: "inner" },
    modules: [({ label }: Loose) => ({ options: { foo: opt(types.str, { default: label }) } })],
  });
  const { config } = evaluate({ options: { submodule: opt(type, { default: {} }) } });
  t.equal(config.submodule.foo, "inner");
});
const shorthand = (flag: boolean): Loose => ({
  options: {
    submodule: opt(
      types.submoduleWith({
        shorthandOnlyDefinesConfig: flag,
        modules: [{ options: { config: opt(types.bool, { default: false }) } }],
      }),
    ),
  },
});
t.test("A6/2 with shorthandOnlyDefinesConfig `config` is an option name", async (t) => {
  t.equal(configOf(shorthand(true), { submodule: { config: true } }).submodule.config, true);
});
t.test("A6/3 … and a record there has the wrong type", async (t) => {
  t.equal(
    reason(() => configOf(shorthand(true), { submodule: { config: { config: true } } }).submodule.config),
    "wrong-type",
  );
});
t.test("A6/4 without it a bare value under `config` is refused", async (t) => {
  const error = failure(() => configOf(shorthand(false), { submodule: { config: true } }).submodule.config);
  t.match(error.message, "a boolean stands for `config`");
});
t.test("A6/5 without it `config` is the configuration part", async (t) => {
  t.equal(configOf(shorthand(false), { submodule: { config: { config: true } } }).submodule.config, true);
});
const whole = [
  { options: { inner: opt(types.bool, { default: false }) } },
  { submodule: mkMerge([{ options: { outer: opt(types.bool, { default: false }) } }, { inner: true, outer: true }]) },
] as const;
t.test("A6/6-8 all definitions of a submodule are modules of one evaluation", async (t) => {
  const evaluated = evaluate({ options: { submodule: opt(types.submoduleWith({ modules: [whole[0]] })) } }, whole[1]);
  t.equal(evaluated.config.submodule.inner, true);
  t.equal(evaluated.config.submodule.outer, true);
  t.equal(evaluated.options.submodule.type.description, "submodule");
});
t.test("A6/9-11 … also with the type of an evaluation", async (t) => {
  const evaluated = evaluate({ options: { submodule: opt(evaluate(whole[0]).type) } }, whole[1]);
  t.equal(evaluated.config.submodule.inner, true);
  t.equal(evaluated.config.submodule.outer, true);
  t.equal(evaluated.options.submodule.type.description, "submodule");
});
t.test("A6/12 a definition may be the path of a file", async (t) => {
  const type = types.submoduleWith({ modules: [{ options: { enable: opt(types.bool, { default: false }) } }] });
  const file = new URL("enable.json", import.meta.url).pathname;
  t.equal(configOf({ options: { submodule: opt(type) } }, { submodule: file }).submodule.enable, true);
});
t.test("A6/13 _prefix is known while modules are found", async (t) => {
  const type = types.submoduleWith({
    modules: [({ _prefix }: Loose) => ({ imports: [{ options: { ok: opt(types.raw, { default: _prefix }) } }] })],
  });
  t.same(configOf({ options: { foo: opt(type, { default: {} }) } }).foo.ok, ["foo"]);
});
t.test("A6/14 the file of an outer definition is known inside", async (t) => {
  const type = types.submoduleWith({
    modules: [
      ({ options }: Loose) => ({
        options: { value: opt(types.raw), files: opt(types.raw, { default: () => options.value.files }) },
      }),
    ],
  });
  t.same(
    configOf({ options: { submodule: opt(type) } }, { file: "the-file.ts", submodule: { value: 1 } }).submodule.files,
    ["the-file.ts"],
  );
});

const bare = {
  options: { bare: opt(types.submoduleWith({ shorthandOnlyDefinesConfig: false, modules: [] }), { default: {} }) },
};
const nestedOption = { options: { bare: { nested: opt(types.int, { default: 1 }) } } };
const deepOption = { options: { bare: { deep: opt(types.int, { default: 2 }) } } };
t.test("A7/1-2 an option may be declared inside a submodule option", async (t) => {
  t.equal(configOf(bare, nestedOption).bare.nested, 1);
  t.equal(configOf(bare, deepOption).bare.deep, 2);
});
t.test("A7/3-4 several such declarations and definitions work together", async (t) => {
  const { bare: value } = configOf(bare, nestedOption, deepOption, { bare: { nested: 42, deep: 420 } });
  t.same(plain(value), { deep: 420, nested: 42 });
});
t.test("A7/5 … also where the submodule is only configuration", async (t) => {
  const short = {
    options: { bare: opt(types.submoduleWith({ shorthandOnlyDefinesConfig: true, modules: [] }), { default: {} }) },
  };
  t.equal(configOf(short, deepOption).bare.deep, 2);
});
t.test("A7/6 one inner option declared twice is refused", async (t) => {
  t.equal(
    reason(() => configOf(bare, deepOption, { options: { bare: { deep: opt(types.int, { default: 3 }) } } }).bare.deep),
    "bad-declaration",
  );
});

t.test("A8/1 attrsOf is lazier than in nixpkgs: a value that fails does not hide the keys", async (t) => {
  const value = configOf(
    { options: { value: opt(types.attrsOf(types.str), { default: {} }) } },
    { value: { bar: never } },
  );
  t.equal("foo" in value.value, false);
  t.throws(() => value.value.bar, /must not be computed/u);
});
t.test("A8/2 lazyAttrsOf keys are known without values", async (t) => {
  const value = configOf(
    { options: { value: opt(types.lazyAttrsOf(types.str), { default: {} }) } },
    { value: { bar: never } },
  );
  t.equal("foo" in value.value, false);
});
const emptyStr = types.mkOptionType({
  name: "emptyStr",
  check: (value: unknown) => typeof value === "string",
  emptyValue: { value: "empty" },
});
t.test("A8/3-5 attrsOf drops keys whose condition fails, lazyAttrsOf keeps them with the empty value", async (t) => {
  const conditional = { value: { foo: mkIf(false, "x") } };
  t.equal("foo" in configOf({ options: { value: opt(types.attrsOf(types.str)) } }, conditional).value, false);
  const lazy = configOf({ options: { value: opt(types.lazyAttrsOf(emptyStr)) } }, conditional);
  t.equal("foo" in lazy.value, true);
  t.equal(lazy.value.foo, "empty");
});
t.test("A8/6 lazy and strict records do not combine", async (t) => {
  const modules = [
    { options: { x: opt(types.attrsOf(types.int)) } },
    { options: { x: opt(types.lazyAttrsOf(types.int)) } },
  ];
  t.equal(
    reason(() => configOf(...modules).x),
    "bad-declaration",
  );
});
t.test("A8/7-8 two lazy records combine; values may refer to each other", async (t) => {
  const x = (type: Loose): Loose => ({ options: { x: opt(type) } });
  const values = { x: { bar: (c: Loose) => c.x.baz + 1, baz: 10 } };
  t.equal(configOf(x(types.lazyAttrsOf(types.int)), x(types.lazyAttrsOf(types.int)), values).x.bar, 11);
  // Better than nixpkgs, where this is infinite recursion: a written value is a key whatever it computes to.
  t.equal(configOf(x(types.attrsOf(types.int)), x(types.attrsOf(types.int)), values).x.bar, 11);
});
t.test("A8/9-10 placeholders combine with none and with equal ones only", async (t) => {
  const x = (fields: object): Loose => ({ options: { x: opt(types.attrsWith({ elemType: types.int, ...fields })) } });
  t.same(plain(configOf(x({ placeholder: "id" }), x({}), { x: { a: 1 } })), { x: { a: 1 } });
  t.equal(
    reason(() => configOf(x({ placeholder: "id" }), x({ placeholder: "other" })).x),
    "bad-declaration",
  );
});

const undefinedOf = (type: Loose): Loose =>
  configOf({ options: { x: opt(types.lazyAttrsOf(type)) } }, { x: { a: mkIf(false, null) } }).x.a;
t.test("A9/1-4 an element that nothing defines has its type's empty value", async (t) => {
  t.same(undefinedOf(types.listOf(types.int)), []);
  t.same(undefinedOf(types.attrsOf(types.int)), {});
  t.equal(undefinedOf(types.nullOr(types.int)), null);
  t.same(plain(undefinedOf(sub({}))), {});
});
t.test("A9/5-6 int and nonEmptyListOf have none", async (t) => {
  t.match(failure(() => undefinedOf(types.int)).message, "`x.a` is read, but nothing defines it");
  t.equal(
    reason(() => undefinedOf(types.nonEmptyListOf(types.int))),
    "undefined-option",
  );
});
const bareValue = (type: Loose): Loose => plain(configOf({ options: { x: opt(type) } }).x);
t.test("A9/7-13 options without default and definition have the empty value", async (t) => {
  t.same(bareValue(types.listOf(types.int)), []);
  t.same(bareValue(types.attrs), {});
  t.same(bareValue(types.attrsOf(types.int)), {});
  t.equal(bareValue(types.nullOr(types.int)), null);
  t.same(bareValue(sub({})), {});
  t.same(bareValue(types.unique({ message: "" }, types.listOf(types.int))), []);
  t.same(bareValue(types.coercedTo(types.int, String, types.listOf(types.str))), []);
});
t.test("A9/14 an int without definition is an error when read", async (t) => {
  t.equal(
    reason(() => bareValue(types.int)),
    "undefined-option",
  );
});
t.test("A9/15 an undefined submodule has its inner defaults", async (t) => {
  t.same(bareValue(sub({ enabled: opt(types.bool, { default: true }), count: opt(types.int, { default: 13 }) })), {
    count: 13,
    enabled: true,
  });
});

const unknown = (...modules: readonly Loose[]): string => failure(() => plain(configOf(...modules))).message;
t.test("A10/1 a misspelt nested option: the sibling is suggested", async (t) => {
  const message = unknown({ options: { set: { enable: opt(types.bool) } } }, { file: "f.ts", set: { ena: true } });
  t.match(message, "There is no option `set.ena`");
  t.match(message, "in f.ts: true");
  t.match(message, "Did you mean `set.enable`?");
});
t.test("A10/2 a misspelt outer name: the error is about that name", async (t) => {
  t.match(
    unknown({ options: { set: { enable: opt(types.bool) } } }, { sea: { enable: true } }),
    /no option `sea`[^]*Did you mean `set`\?/u,
  );
});
t.test("A10/3 several far names are all suggested", async (t) => {
  const options = Object.fromEntries(["foo", "bar", "baz"].map((name) => [name, opt(types.int, { default: 1 })]));
  t.match(unknown({ options }, { far: 1 }), "Did you mean `bar`, `baz` or `foo`?");
});
t.test("A10/4 among a thousand names only close ones are suggested", async (t) => {
  const letters = [..."abcdefghij"];
  const names = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => `${a}${b}${c}`)));
  const options = Object.fromEntries(
    [...names, "enable", "enabled", "disable"].map((name) => [name, opt(types.bool, { default: false })]),
  );
  t.match(unknown({ options }, { enble: true }), "Did you mean `enable`, `ebe` or `enabled`?");
});
t.test("A10/5 in a submodule the full path is suggested", async (t) => {
  const options = {
    services: opt(
      types.attrsOf(sub({ enable: opt(types.bool, { default: false }), port: opt(types.int, { default: 1 }) })),
    ),
  };
  t.match(
    unknown({ options }, { services: { myservice: { prot: 1 } } }),
    "Did you mean `services.myservice.port` or `services.myservice.enable`?",
  );
});
t.test("A10/6 names that need quotes are quoted", async (t) => {
  const ssl = {
    ssl: { certificate: opt(types.str, { default: "" }), certificateKey: opt(types.str, { default: "" }) },
  };
  const options = { services: { nginx: { virtualHosts: opt(types.attrsOf(sub(ssl))) } } };
  const message = unknown(
    { options },
    { services: { nginx: { virtualHosts: { "example.com": { ssl: { certficate: "x" } } } } } },
  );
  t.match(
    message,
    'Did you mean `services.nginx.virtualHosts."example.com".ssl.certificate` or `services.nginx.virtualHosts."example.com".ssl.certificateKey`?',
  );
});

t.test("A11/1-2 an option among definitions is recognised as misplaced", async (t) => {
  const error = failure(() =>
    configOf({ wrong1: mkOption({ type: types.int }), nest: { wrong2: mkOption({ type: types.int }) } }),
  );
  t.equal(error.reason, "unknown-option");
  t.match(error.message, "belongs under `options`");
});
t.test("A11/3-4 … also in a submodule", async (t) => {
  const type = types.submodule({ config: { wrong2: mkOption({ type: types.int }) } });
  const error = failure(() => configOf({ options: { sub: opt(type, { default: {} }) } }).sub.wrong2);
  t.match(error.message, "There is no option `sub.wrong2`");
  t.match(error.message, "belongs under `options`");
});
t.test("A11/5 an empty list where an element is needed names the type", async (t) => {
  const error = failure(() => configOf({ options: { bad: opt(types.nonEmptyListOf(sub({})), { default: [] }) } }).bad);
  t.match(error.message, "non-empty (list of (submodule))");
});

const value = (type: Loose, ...definitions: readonly unknown[]): Loose =>
  plain(
    configOf(
      { options: { value: opt(type) } },
      ...definitions.map((each, index) => ({ file: `${index}.ts`, value: each })),
    ).value,
  );
t.test("A12/1-5 integers within bounds", async (t) => {
  t.equal(value(types.ints.unsigned, 42), 42);
  t.match(failure(() => value(types.ints.unsigned, -23)).message, /unsigned integer, meaning >=0[^]*: -23/u);
  t.match(failure(() => value(types.ints.positive, 0)).message, /positive integer, meaning >0[^]*: 0/u);
  t.equal(value(types.ints.between(-21, 43), 42), 42);
  t.match(
    failure(() => value(types.ints.between(-21, 43), -23)).message,
    "integer between -21 and 43 (both inclusive)",
  );
});
t.test("A12/6 only the definitions with the wrong type are listed", async (t) => {
  const { message } = failure(() => value(types.ints.unsigned, [], 42));
  t.match(message, "in 0.ts: []");
  t.notMatch(message, "42");
});
t.test("A13/1-5 either and oneOf", async (t) => {
  const either = types.either(types.int, types.str);
  const oneOf = types.oneOf([types.int, types.listOf(types.int), types.str]);
  t.equal(value(either, 42), 42);
  t.equal(value(either, "24"), "24");
  t.equal(value(oneOf, 42), 42);
  t.same(value(oneOf, []), []);
  t.equal(value(oneOf, "24"), "24");
});
const toText = types.coercedTo(types.int, String, types.str);
t.test("A14/1-2 coercedTo converts defaults and definitions", async (t) => {
  t.equal(configOf({ options: { value: opt(toText, { default: 42 }) } }).value, "42");
  t.equal(value(toText, "24"), "24");
});
t.test("A14/3 a value that cannot be converted is shown as written", async (t) => {
  t.match(failure(() => value(toText, [])).message, /string or signed integer convertible to it[^]*: \[\]/u);
});
t.test("A14/4 coercedTo declared twice does not combine", async (t) => {
  const declare = { options: { value: opt(toText) } };
  t.equal(
    reason(() => configOf(declare, { options: { value: opt(types.coercedTo(types.int, String, types.str)) } }).value),
    "bad-declaration",
  );
});
const toInt = types.coercedTo(
  types.str,
  (text: string) => {
    if (!/^\d+$/u.test(text)) throw new Error(`${text} is no number`);
    return Number(text);
  },
  types.ints.s8,
);
t.test("A14/5-6 a conversion whose result does not fit shows the written value", async (t) => {
  t.equal(value(toInt, "12"), 12);
  t.match(failure(() => value(toInt, "1000")).message, '"1000"');
});
t.test("A14/7 a conversion that throws is reported with its own message", async (t) => {
  const error = failure(() => value(toInt, "foobar"));
  t.equal(error.reason, "thunk-threw");
  t.match(error.message, "foobar is no number");
});
for (const a of [false, true]) {
  for (const b of [false, true]) {
    t.test(`A15/1-4 boolByOr of ${a} and ${b}`, async (t) => {
      t.equal(value(types.boolByOr, mkMerge([a, b])), a || b);
    });
  }
}
