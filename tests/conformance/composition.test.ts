/** Groups B of the module system's conformance checks: composition and reuse. */
import t from "tap";
import {
  doRename,
  mkAliasOptionModule,
  mkChangedOptionModule,
  mkMergedOptionModule,
  mkModule,
  mkPackageOption,
  mkRemovedOptionModule,
  mkRenamedOptionModule,
  optionsOf,
  evalModules,
} from "#lib/evaluator/index.ts";
import {
  configOf,
  evaluate,
  failure,
  type Loose,
  mkBefore,
  mkDefault,
  mkForce,
  mkIf,
  mkMerge,
  mkOption,
  opt,
  plain,
  reason,
  sub,
  types,
} from "./untyped.ts";

const declare = { options: { enable: opt(types.bool, { default: false }) } };
const define = { file: "define.ts", enable: true };

t.test("B1/1-2 a module switches another off by being given it", async (t) => {
  t.equal(configOf(declare, define).enable, true);
  t.equal(configOf(declare, define, { disabledModules: [define] }).enable, false);
});
t.test("B1/3 a data file is switched off by its path", async (t) => {
  const file = new URL("enable.json", import.meta.url).pathname;
  t.equal(configOf(declare, file).enable, true);
  t.equal(configOf(declare, file, { disabledModules: [file] }).enable, false);
});
t.test("B1/4 switching off the declaration leaves the definition without option", async (t) => {
  t.equal(
    reason(() => configOf(declare, define, { disabledModules: [declare] }).enable),
    "unknown-option",
  );
});
t.test("B1/5-6 switching off both leaves nothing", async (t) => {
  t.notOk("enable" in configOf(declare, define, { disabledModules: [declare, define] }));
});
const keyed = (key: string | number): Loose => ({ key, enable: true });
for (const key of ["k", 123]) {
  t.test(
    `B1/7-10 a module with the key ${JSON.stringify(key)} is switched off by any module with that key`,
    async (t) => {
      const type = (disabledModules: readonly Loose[]): Loose =>
        types.submoduleWith({ modules: [declare, { imports: [keyed(key)], disabledModules }] });
      const config = configOf({
        options: { positive: opt(type([]), { default: {} }), negative: opt(type([keyed(key)]), { default: {} }) },
      });
      t.equal(config.positive.enable, true);
      t.equal(config.negative.enable, false);
    },
  );
}
t.test("B1/11 something that is no module cannot be switched off", async (t) => {
  t.equal(
    reason(() => configOf(declare, { disabledModules: [5] }).enable),
    "bad-module",
  );
});
t.test("B1/12-15 what a switched-off module imports stays if another one imports it too", async (t) => {
  const foo = { imports: [declare] };
  const bar = { imports: [declare] };
  const main = { imports: [foo, bar], enable: true };
  t.equal(configOf(main).enable, true);
  t.equal(configOf(main, { disabledModules: [foo] }).enable, true);
  t.equal(configOf(main, { disabledModules: [bar] }).enable, true);
  t.equal(
    reason(() => configOf(main, { disabledModules: [foo, bar] }).enable),
    "unknown-option",
  );
});

t.test("B2/1-2 a module made by applying a function has a place and counts", async (t) => {
  const make = (value: string): Loose => ({ file: "applied.ts", value });
  const text = { options: { value: opt(types.lines) } };
  t.equal(configOf(text, make("abc")).value, "abc");
  t.equal(evaluate(text, make("abc")).options.value.files[0], "applied.ts");
});
t.test("B2/3-4 two modules with one key are one module", async (t) => {
  const raw = { options: { raw: opt(types.lines) } };
  t.equal(configOf(raw, { key: "a", raw: "pear" }, { key: "a", raw: "pear" }).raw, "pear");
  t.equal(configOf(raw, { key: "a", raw: "pear" }, { key: "b", raw: "pear" }).raw, "pear\npear");
});
t.test("B2/5 a condition may stand around a whole module", async (t) => {
  t.equal(configOf(declare, mkIf(true, { enable: true })).enable, true);
});

const custom = ({ custom }: Loose): Loose => ({ enable: custom });
t.test("B2/6 the graph of modules: who imports whom, and what is switched off", async (t) => {
  const leaf = { key: "leaf", file: "leaf.ts" };
  const off = { key: "off", file: "off.ts", imports: [leaf] };
  const main = { key: "main", file: "main.ts", imports: [off, leaf], disabledModules: [off] };
  const leafNode = { key: "key:leaf", file: "leaf.ts", imports: [], disabled: false };
  const { graph } = evaluate(main);
  t.strictSame(graph, [
    {
      key: "key:main",
      file: "main.ts",
      imports: [{ key: "key:off", file: "off.ts", imports: [leafNode], disabled: true }, leafNode],
      disabled: false,
    },
  ]);
  t.strictSame(evaluate().graph, []);
});

t.test("B3/1 a missing argument is named", async (t) => {
  const error = failure(() => configOf(declare, custom).enable);
  t.match(error.message, "`custom`");
});
t.test("B3/2 a thunk gets what _module.args defines", async (t) => {
  const args = { _module: { args: { custom: true } } };
  t.equal(configOf(declare, args, { enable: (_config: Loose, { custom }: Loose) => custom }).enable, true);
  t.equal(
    reason(() => configOf(declare, { enable: (_config: Loose, { custom }: Loose) => custom }).enable),
    "missing-argument",
  );
});
t.test("B3/3-4 an argument from _module.args in imports is an error that says why", async (t) => {
  const args = { _module: { args: { custom: declare } } };
  const error = failure(() => configOf(args, ({ custom }: Loose) => ({ imports: [custom] })).enable);
  t.equal(error.reason, "structure-depends-on-config");
  t.match(error.message, "the argument `custom`");
  t.match(error.message, "Imports, options and the keys of config must be known");
});
t.test("B3/5-6 _module.check switches the check for unknown options off", async (t) => {
  const extra = { attrsOfSub: { foo: {} } };
  t.equal(
    reason(() => configOf(declare, define, extra).enable),
    "unknown-option",
  );
  t.equal(configOf(declare, define, extra, { _module: { check: false } }).enable, true);
});

const nixos = { class: "nixos", config: {} };
const darwin = { class: "darwin", file: "darwin.ts", config: {} };
const classed = (name: string, ...modules: readonly Loose[]): Loose => evalModules<Loose>({ class: name, modules });
t.test("B4/1-2 modules of the evaluation's class are accepted", async (t) => {
  t.same(plain(classed("nixos", nixos).config), {});
  t.equal(classed("nixos", nixos).class, "nixos");
});
t.test("B4/3-4 modules of another class are refused by name", async (t) => {
  const error = failure(() => classed("nixos", darwin).config);
  t.equal(error.reason, "bad-import");
  t.match(error.message, /darwin\.ts.*class "darwin".*class "nixos"/u);
});
const subClass = (name: string, ...modules: readonly Loose[]): Loose => types.submoduleWith({ class: name, modules });
t.test("B4/5-6 submodules have classes too", async (t) => {
  t.same(plain(configOf({ options: { sub: opt(subClass("nixos", nixos), { default: {} }) } }).sub), {});
  t.equal(
    reason(() => configOf({ options: { sub: opt(subClass("nixos", darwin), { default: {} }) } }).sub),
    "bad-import",
  );
});
t.test("B4/7 two declarations with different classes do not combine", async (t) => {
  t.equal(
    reason(
      () => configOf({ options: { sub: opt(subClass("nixos")) } }, { options: { sub: opt(subClass("darwin")) } }).sub,
    ),
    "bad-declaration",
  );
});

const byClass = ({ _class }: Loose): Loose => ({
  options: { [_class === "nixos" ? "foo" : "bar"]: opt(types.str, { default: _class === "nixos" ? "bar" : "foo" }) },
});
const importsByClass = ({ _class }: Loose): Loose => ({
  imports: [
    _class === "nixos"
      ? { options: { foo: opt(types.str, { default: "bar" }) } }
      : { options: { bar: opt(types.str, { default: "foo" }) } },
  ],
});
for (const [what, module] of [
  ["declares", byClass],
  ["imports", importsByClass],
] as const) {
  t.test(`B5/3-6 a module ${what} by the class of the evaluation`, async (t) => {
    t.same(plain(classed("nixos", module).config), { foo: "bar" });
    t.same(plain(classed("darwin", module).config), { bar: "foo" });
  });
  t.test(`B5/7-10 a module ${what} by the class of the submodule`, async (t) => {
    const of = (name: string): Loose =>
      plain(configOf({ options: { sub: opt(subClass(name, module), { default: {} }) } }).sub);
    t.same(of("nixos"), { foo: "bar" });
    t.same(of("darwin"), { bar: "foo" });
  });
}
t.test("B5/1-2 the class is an argument of thunks", async (t) => {
  const module = { options: { foo: opt(types.str, { default: (_config: Loose, { _class }: Loose) => _class }) } };
  t.equal(classed("nixos", module).config.foo, "nixos");
  t.equal(configOf({ options: { sub: opt(subClass("nixos", module), { default: {} }) } }).sub.foo, "nixos");
});

t.test("B6/1 what is no module is refused where it is imported", async (t) => {
  for (const wrong of [5, null, ["nested"], true]) {
    t.equal(
      reason(() => configOf({ file: "importer.ts", imports: [wrong] })),
      "bad-import",
    );
  }
  t.match(
    failure(() => configOf({ file: "importer.ts", imports: [5] })).message,
    "importer.ts: a number is not a module",
  );
  t.match(
    failure(() => configOf({ file: "importer.ts", imports: [{}, undefined] })).message,
    /^importer\.ts: undefined is not a module \(element 2 of imports\)\n.*two files that import each other/,
  );
});
t.test("B6/2-3 an evaluated configuration is no module", async (t) => {
  const error = failure(() => configOf({ file: "importer.ts", imports: [evaluate(declare)] }));
  t.equal(error.reason, "bad-import");
  t.match(error.message, "an evaluated configuration");
  t.match(error.message, "the modules it was made from");
});
t.test("B6/4 … also in a submodule", async (t) => {
  const type = types.submoduleWith({ modules: [{ imports: [evaluate(declare)] }] });
  t.equal(
    reason(() => configOf({ options: { foo: opt(type, { default: {} }) } }).foo),
    "bad-import",
  );
});

const byOption = {
  value: (_config: Loose, { options }: Loose) => ("enable" in options ? 360 : 7),
};
const definesIfDeclared = { config: byOption };
const integer = { options: { value: opt(types.int) } };
t.test("B7/1-3 a value may depend on whether an option exists", async (t) => {
  t.equal(configOf(definesIfDeclared, declare, integer).value, 360);
  t.equal(configOf(definesIfDeclared, integer).value, 7);
});
t.test("B7/4-6 … also nested", async (t) => {
  const nested = { set: { value: (_config: Loose, { options }: Loose) => ("enable" in options.set ? 360 : 7) } };
  t.equal(
    configOf(nested, { options: { set: integer.options } }, { options: { set: declare.options } }).set.value,
    360,
  );
  t.equal(configOf(nested, { options: { set: integer.options } }).set.value, 7);
});

const aliased = [
  { options: { enable: opt(types.nullOr(types.bool), { default: null }) } },
  mkAliasOptionModule(["enableAlias"], ["enable"]),
];
t.test("B8/1-2 an alias forwards definitions with their priority", async (t) => {
  const config = configOf(...aliased, { enableAlias: mkDefault(false) }, { enable: true });
  t.same([config.enable, config.enableAlias], [true, true]);
});
t.test("B8/3-4 a forced alias wins", async (t) => {
  const config = configOf(...aliased, { enableAlias: mkForce(false) }, { enable: true });
  t.same([config.enable, config.enableAlias], [false, false]);
});
const target = { options: { c: { d: { e: opt(types.int, { default: 0 }) } } } };
const renamed = mkRenamedOptionModule(["a", "b"], ["c", "d", "e"]);
t.test("B8/5 a renamed option works where no warnings are declared", async (t) => {
  const config = configOf(target, renamed, { a: { b: 1234 } });
  t.equal(config.c.d.e, 1234);
  t.equal(config.a.b, 1234);
});
t.test("B8/6 … and warns where they are", async (t) => {
  const config = configOf(
    target,
    renamed,
    { options: { warnings: opt(types.listOf(types.str), { default: [] }) } },
    { file: "old.ts", a: { b: 1234 } },
  );
  t.same(config.warnings, ["The option `a.b` defined in old.ts is now called `c.d.e`."]);
  t.same(
    configOf(target, renamed, { options: { warnings: opt(types.listOf(types.str), { default: [] }) } }).warnings,
    [],
  );
});
const foos = {
  options: {
    services: {
      foo: { enable: opt(types.bool, { default: false }) },
      foos: opt(types.attrsOf(sub({ bar: opt(types.str) })), { default: {} }),
    },
  },
};
const conditional = doRename({
  from: ["services", "foo", "bar"],
  to: ["services", "foos", "", "bar"],
  visible: true,
  warn: false,
  condition: (config: Loose) => config.services.foo.enable,
});
t.test("B8/7-9 a rename into a submodule under a condition", async (t) => {
  const enabled = configOf(foos, conditional, { services: { foo: { enable: true, bar: "baz" } } });
  t.same(plain(enabled.services.foos), { "": { bar: "baz" } });
  const off = configOf(foos, conditional);
  t.same(plain(off.services.foos), {});
  const migrated = configOf(foos, conditional, { services: { foos: { "": { bar: "baz" } } } });
  t.equal(migrated.services.foo.bar, "baz");
});
t.test("B8 a removed option fails an assertion when set and an error when read", async (t) => {
  const assertions = { options: { assertions: opt(types.listOf(types.raw), { default: [] }) } };
  const removed = mkRemovedOptionModule(["old"], "Use new.");
  t.same(configOf(assertions, removed).assertions, []);
  const { assertions: failed } = configOf(assertions, removed, { file: "u.ts", old: 1 });
  t.match(failed, [
    {
      assertion: false,
      message: "The option `old` defined in u.ts no longer has any effect; please remove it. Use new.",
    },
  ]);
  t.match(failure(() => configOf(assertions, removed).old).message, "has been removed");
});
t.test("B8 changed and merged options compute the new value from the old ones", async (t) => {
  const one = configOf(
    { options: { b: opt(types.int, { default: 0 }) } },
    mkChangedOptionModule(["a"], ["b"], (config: Loose) => Number(config.a)),
    { a: "7" },
  );
  t.equal(one.b, 7);
  const two = mkMergedOptionModule([["x"], ["y"]], ["z"], (config: Loose) => `${config.x}-${config.y}`);
  t.equal(configOf({ options: { z: opt(types.str, { default: "none" }) } }, two, { x: "1", y: "2" }).z, "1-2");
  t.equal(configOf({ options: { z: opt(types.str, { default: "none" }) } }, two).z, "none");
});

const hello = { name: "hello", toString: () => "/hello" };
const set = { hello, "123": { 'with"quote': { hello } } };
const packageConfig = (option: Loose): Loose => evaluate({ options: { package: option } });
t.test("B9/1-4 mkPackageOption: the default is found by name or path", async (t) => {
  t.equal(packageConfig(mkPackageOption(set, "hello")).config.package.name, "hello");
  t.equal(packageConfig(mkPackageOption(set, "Hello", { default: ["hello"] })).config.package.name, "hello");
  t.equal(packageConfig(mkPackageOption(set, "Hello", { default: "hello" })).config.package.name, "hello");
  t.equal(packageConfig(mkPackageOption(set, ["hello"])).config.package.name, "hello");
});
t.test("B9/5-14 mkPackageOption: description, default text and example", async (t) => {
  const fields = (option: Loose): Loose => packageConfig(option).options.package.fields;
  t.equal(fields(mkPackageOption(set, "hello")).description, "The hello package to use.");
  t.equal(fields(mkPackageOption(set, "Hello", { default: "hello" })).description, "The Hello package to use.");
  t.same(fields(mkPackageOption(set, "hello")).defaultText, { _type: "literalExpression", text: "pkgs.hello" });
  t.equal(fields(mkPackageOption(set, "hello", { example: "pkgs.hello.with(x)" })).example.text, "pkgs.hello.with(x)");
  t.equal(fields(mkPackageOption(set, "hello", { example: ["hello"] })).example.text, "pkgs.hello");
  t.equal(
    fields(mkPackageOption(set, "hello", { extraDescription: "More." })).description,
    "The hello package to use. More.",
  );
  t.equal(fields(mkPackageOption(set, "hello", { pkgsText: "myPkgs" })).defaultText.text, "myPkgs.hello");
});
t.test("B9/15 mkPackageOption: without default it is undefined", async (t) => {
  t.equal(
    reason(() => packageConfig(mkPackageOption(set, "hello", { default: null })).config.package),
    "undefined-option",
  );
});
t.test("B9/16-19 mkPackageOption: nullable", async (t) => {
  const nullable = packageConfig(mkPackageOption(set, "hello", { nullable: true, default: null }));
  t.equal(nullable.config.package, null);
  t.equal(nullable.options.package.type.description, "null or package");
  t.equal(packageConfig(mkPackageOption(set, "hello", { nullable: true })).config.package.name, "hello");
});
t.test("B9/20-23 mkPackageOption: from another set, with names that need quotes, and missing", async (t) => {
  t.equal(
    packageConfig(mkPackageOption({ hello: { ...hello, name: "hello-other" } }, "hello")).config.package.name,
    "hello-other",
  );
  const quoted = packageConfig(
    mkPackageOption(set, ["123", 'with"quote', "hello"], { example: ["123", 'with"quote', "hello"] }),
  );
  t.equal(quoted.config.package.name, "hello");
  t.equal(quoted.options.package.fields.defaultText.text, 'pkgs."123"."with\\"quote".hello');
  t.equal(quoted.options.package.fields.example.text, 'pkgs."123"."with\\"quote".hello');
  t.match(
    failure(() => packageConfig(mkPackageOption(set, "absent")).config.package).message,
    "absent cannot be found in pkgs",
  );
});

t.test("B10/1 a deferred module collects parts and is imported by every node", async (t) => {
  const parts = evaluate(
    { options: { default: opt(types.deferredModule) } },
    { default: { options: { settings: opt(types.attrsOf(types.str), { default: {} }) } } },
    { default: { config: { settings: { a: "alpha" } } } },
    {
      default: mkModule(({ name }: Loose) => ({
        config: { settings: { [name]: (config: Loose) => config.settings.a } },
      })),
    },
  );
  const node = types.submoduleWith({ modules: [parts.config.default] });
  const { nodes: made } = configOf(
    { options: { nodes: opt(types.attrsOf(node)) } },
    { nodes: { foo: { settings: { c: "beta" } } } },
  );
  t.same(plain(made.foo), { settings: { a: "alpha", c: "beta", foo: "alpha" } });
});
t.test("B10/2 an error inside a deferred module names the option it came through", async (t) => {
  const parts = evaluate(
    { options: { default: opt(types.deferredModule) } },
    { file: "bad.ts", default: { options: { bottom: opt(types.enum([])) }, config: { bottom: "bogus" } } },
  );
  const node = types.submoduleWith({ modules: [parts.config.default] });
  const { message } = failure(
    () => configOf({ options: { nodes: opt(types.attrsOf(node)) } }, { nodes: { foo: {} } }).nodes.foo.bottom,
  );
  t.match(message, "`nodes.foo.bottom` is not of type impossible (empty enum)");
  t.match(message, 'in bad.ts, via option default: "bogus"');
});
t.test("B10/3 a deferred function that makes no module names the option too", async (t) => {
  const parts = evaluate(
    { options: { deferred: opt(types.deferredModule) } },
    { file: "bad.ts", deferred: mkModule(() => 1 as never) },
  );
  const error = failure(() => configOf({ imports: [parts.config.deferred] }));
  t.match(error.message, "bad.ts, via option deferred: a number is not a module");
});

t.test("B11/1-3 moduleType makes variants of the evaluation itself", async (t) => {
  const variants = ({ moduleType }: Loose): Loose => ({
    options: {
      attrs: opt(types.attrsOf(types.str), { default: {} }),
      variants: opt(types.lazyAttrsOf(moduleType), { default: {} }),
    },
  });
  const { config } = evaluate(variants, {
    attrs: { a: "a" },
    variants: {
      foo: { attrs: { b: "b" }, variants: { bar: { attrs: { y: "y" } }, foo: { attrs: { c: "c" } } } },
      bar: { attrs: { z: "z" } },
    },
  });
  const shown = (value: Loose): string => Object.keys(value.attrs).join(" ");
  t.equal(shown(config.variants.foo), "a b");
  t.equal(shown(config.variants.foo.variants.bar), "a y z b".split(" ").sort().join(" "));
  t.equal(shown(config.variants.foo.variants.foo), "a b c");
});
t.test("B11/4 a submodule of an extended evaluation sees anonymous imports once", async (t) => {
  const base = evaluate({ imports: [{ options: { value: opt(types.int, { default: 0 }) } }, { value: mkDefault(1) }] });
  const type = base.extendModules({ modules: [{ config: {} }] }).type;
  t.equal(configOf({ options: { sub: opt(type, { default: {} }) } }).sub.value, 1);
});
t.test("B11 extendModules adds modules and arguments to the originals", async (t) => {
  const base = evaluate(declare, {
    options: { list: opt(types.listOf(types.str), { default: [] }) },
    config: { list: ["a"] },
  });
  const extended = base.extendModules({ modules: [{ enable: true, list: mkBefore(["b"]) }] });
  t.equal(base.config.enable, false);
  t.equal(extended.config.enable, true);
  t.same(extended.config.list, ["b", "a"]);
});
t.test("B the options behind a submodule's value can be found", async (t) => {
  const { config } = evaluate(
    { options: { s: opt(types.attrsOf(sub({ bar: opt(types.int) }))) } },
    { s: { foo: { bar: 42 } } },
  );
  t.equal((optionsOf(config.s.foo) as Loose).bar.value, 42);
  t.equal((optionsOf(config.s.foo) as Loose).bar.toString(), "s.foo.bar");
});
t.test("B mkMerge may stand where modules stand", async (t) => {
  const config = configOf(declare, { config: mkMerge([{ enable: mkDefault(false) }, mkIf(true, { enable: true })]) });
  t.equal(config.enable, true);
  t.type(mkOption, "function");
});
