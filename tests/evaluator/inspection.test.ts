import t, { type Test } from "tap";
import { readdir, readFile, writeFile } from "node:fs/promises";
import {
  allErrors,
  assertionsModule,
  checkAssertions,
  defineModule,
  documentationHtml,
  documentationJson,
  documentationMarkdown,
  documentOptions,
  evalModules,
  EvaluationError,
  findOption,
  type Lint,
  lintModules,
  literalExpression,
  mkChangedOptionModule,
  mkOption,
  mkRemovedOptionModule,
  mkRenamedOptionModule,
  placesOf,
  renderError,
  showPlace,
  toPlain,
  types,
  undescribed,
} from "#lib/evaluator/index.ts";
import { evaluate, type Loose, mkBefore, mkDefault, mkForce, mkIf, mkMerge, opt, sub } from "../conformance/untyped.ts";
import { declarations, type ErrorTests, type Mistake, mistakes } from "./errors/modules.ts";

const declared = {
  options: {
    name: opt(types.str, { default: "fallback", description: "The name." }),
    on: opt(types.bool, { default: false, description: "A switch." }),
    list: opt(types.listOf(types.str), { default: [], description: "A list." }),
    units: opt(types.attrsOf(sub({ port: opt(types.int, { description: "The port." }) })), {
      default: {},
      description: "Units.",
    }),
  },
};

t.test("provenance: every definition with its status, priority, order, conditions and place", async (t) => {
  const { options } = evaluate(
    { file: "decl.ts", ...declared },
    { file: "default.ts", config: { name: mkDefault("weak") } },
    { file: "plain.ts", config: { name: (config: Loose) => `plain-${config.on}` } },
    { file: "off.ts", config: { name: mkIf((config: Loose) => config.on, mkForce("forced")) } },
    { file: "never.ts", config: { name: mkIf(false, "x") } },
  );
  const shown = options.name.provenance.map((each: Loose) => [
    each.source.file,
    each.status,
    each.value,
    each.priority,
    each.isThunk,
    each.conditions.map((c: Loose) => c.holds),
  ]);
  t.same(shown, [
    ["decl.ts", "loses", "fallback", 1500, false, []],
    ["never.ts", "inactive", "x", 100, false, [false]],
    ["off.ts", "inactive", "forced", 50, false, [false]],
    ["plain.ts", "wins", "plain-false", 100, true, []],
    ["default.ts", "loses", "weak", 1000, false, []],
  ]);
  t.equal(options.name.value, "plain-false");
  t.same(options.name.reads, [["on"]]);
  t.same(
    options.name.declarations.map((each: Loose) => each.file),
    ["decl.ts"],
  );
  t.equal(options.name.description, "The name.");
});

t.test("provenance: reads reach through conditions and elements", async (t) => {
  const { options } = evaluate(declared, {
    config: {
      name: (config: Loose) => String(config.units.web.port),
      units: { web: { port: 1 } },
      list: mkIf((config: Loose) => config.on, ["x"]),
    },
  });
  t.same(options.name.reads, [["units"], ["units", "web", "port"]]);
  t.same(options.list.reads, [["on"]]);
});

const documented = defineModule({
  options: {
    documentedThing: {
      enable: mkOption({ type: types.bool, default: false, example: true, description: "Whether to." }),
      computed: mkOption({
        type: types.str,
        default: (): string => "x",
        defaultText: literalExpression("config.x"),
        description: "Computed `x`.",
      }),
      units: mkOption({
        type: types.attrsOf(
          types.submodule({
            options: {
              port: mkOption({ type: types.port, description: "Port <1>." }),
              list: mkOption({ type: types.listOf(types.str), default: [] }),
            },
          }),
        ),
        default: {},
        description: "Units.",
      }),
      hidden: mkOption({ type: types.str, default: "", internal: true }),
      shallow: mkOption({
        type: types.submodule({ options: { inner: mkOption({ type: types.int, default: 1 }) } }),
        default: {},
        visible: "shallow",
        description: "Shallow.",
      }),
      transparent: mkOption({
        type: types.submodule({ options: { inner: mkOption({ type: types.int, default: 1, description: "Inner." }) } }),
        default: {},
        visible: "transparent",
      }),
      tagged: mkOption({
        type: types.attrTag({ a: mkOption({ type: types.int, description: "An a." }) }),
        description: "Tagged.",
      }),
    },
  },
});

t.test("documentation: all options, inner ones with placeholders, by name", async (t) => {
  const docs = documentOptions(evalModules({ modules: [documented] }));
  t.same(
    docs.map((each) => each.name.replace("documentedThing.", "")),
    [
      "computed",
      "enable",
      "hidden",
      "shallow",
      "tagged",
      "tagged.a",
      "transparent",
      "transparent.inner",
      "units",
      "units.<name>.list",
      "units.<name>.port",
    ],
  );
  const computed = docs[0]!;
  t.match(computed, { default: "config.x", type: "string", description: "Computed `x`." });
  const worded = defineModule({
    options: { worded: mkOption({ type: types.str, default: () => "x", defaultText: "the name" } as never) },
  });
  t.match(documentOptions(evalModules({ modules: [worded] })), [{ name: "worded", default: "the name" }], "no quotes");
  t.match(computed.declarations[0], /^tests\/evaluator\/inspection\.test\.ts:\d+:7$/u);
  t.match(
    docs.find((each) => each.name.endsWith(".list")),
    { default: "[]", type: "list of string" },
  );
  t.same(undescribed(docs), ["documentedThing.units.<name>.list"]);
});

t.test("documentation: Markdown, JSON and a page with search and links that loads nothing", async (t) => {
  const docs = documentOptions(evalModules({ modules: [documented] }));
  const markdown = documentationMarkdown(docs, "Options");
  t.match(
    markdown,
    "## `documentedThing.enable`\n\nWhether to.\n\nType: boolean\n\nDefault: `false`\n\nExample: `true`",
  );
  t.notMatch(markdown, "hidden");
  const json = JSON.parse(documentationJson(docs)) as Record<string, { type: string }>;
  t.equal(
    json["documentedThing.units.<name>.port"]?.type,
    "16 bit unsigned integer; between 0 and 65535 (both inclusive)",
  );
  const html = documentationHtml(docs, "Options");
  t.match(html, 'id="opt-documentedThing.units.&lt;name&gt;.port"');
  t.match(html, 'href="#opt-documentedThing.enable"');
  t.match(html, "Port &lt;1&gt;.");
  t.match(html, 'type="search"');
  t.notMatch(html, /(?:src|href)="(?!#)/u);
});

const rules = (lints: readonly Lint[]): readonly string[] => lints.map((each) => `${each.rule} ${each.option}`);
const lint = (...modules: readonly Loose[]): readonly Lint[] => lintModules({ modules });

t.test("lint: a list under mkDefault that another module appends to is lost", async (t) => {
  const found = lint(
    declared,
    { file: "fs.ts", list: mkDefault(["/etc"]) },
    { file: "users.ts", list: ["/home"] },
  ).filter((each) => each.rule === "lost-default");
  t.same(rules(found), ["lost-default list"]);
  t.same(found[0]!.places, ["fs.ts", "users.ts"]);
  t.same(
    lint(declared, { list: mkDefault(["/etc"]) }, { list: mkForce([]) }).filter((each) => each.rule === "lost-default"),
    [],
  );
});
t.test("lint: a record under mkDefault is lost when a part of it is set elsewhere", async (t) => {
  const users = {
    options: {
      users: opt(types.attrsOf(sub({ uid: opt(types.int, { default: 0 }), shell: opt(types.str, { default: "" }) })), {
        default: {},
      }),
    },
  };
  const found = lint(users, { users: { root: mkDefault({ uid: 0 }) } }, { users: { root: { shell: "/bin/sh" } } });
  t.ok(rules(found).includes("lost-default users.root"));
  const perValue = lint(users, { users: { root: { uid: mkDefault(0) } } }, { users: { root: { shell: "/bin/sh" } } });
  t.notOk(rules(perValue).includes("lost-default users.root"));
});
t.test("lint: lists whose order follows from imports", async (t) => {
  const found = lint(declared, { list: ["a"] }, { list: ["b"] });
  t.ok(rules(found).includes("order-dependent list"));
  t.notOk(rules(lint(declared, { list: mkBefore(["a"]) }, { list: ["b"] })).includes("order-dependent list"));
  t.notOk(rules(lint(declared, { list: mkMerge([["a"], ["b"]]) })).includes("order-dependent list"));
  const files = { options: { files: opt(types.listOf(types.str), { default: [], unordered: true }) } };
  t.same(rules(lint(files, { files: ["a"] }, { files: ["b"] })), [], "where order means nothing");
});
t.test("lint: options nobody sets or reads, and with roots also those set in vain", async (t) => {
  const module = { config: { name: (config: Loose) => String(config.on), list: ["x"] } };
  t.same(
    rules(lint(declared, module)).filter((each) => each.startsWith("unused")),
    ["unused-option units"],
  );
  const byHand = { options: { unit: opt(types.str, { default: "", readBy: "the command show" }) } };
  t.same(rules(lint(byHand)), [], "read by what is no module");
  const withRoots = lintModules({ modules: [declared, module] }, { roots: [["name"]] });
  t.same(rules(withRoots), ["unread-option list", "unused-option units"]);
});
t.test("lint: an option declared by two modules", async (t) => {
  t.same(
    rules(lint({ options: { e: opt(types.enum(["a"])) } }, { options: { e: opt(types.enum(["b"])) } }, { e: "a" })),
    ["declared-twice e"],
  );
});

t.test("all errors: also of values that nothing reads, each once, without options that are merely unset", async (t) => {
  const options = {
    unset: opt(types.int),
    needed: opt(types.int),
    reader: opt(types.int, { default: 0 }),
    wrong: opt(types.int),
    list: opt(types.listOf(types.int), { default: [] }),
    units: opt(types.attrsOf(sub({ port: opt(types.int) })), { default: {} }),
  };
  const errors = allErrors(
    evaluate(
      { options },
      {
        wrong: "x",
        reader: (config: Loose) => config.needed,
        list: ["y"],
        units: { a: { port: "z" }, b: { prot: 1 } },
        extra: 1,
      },
    ),
  );
  t.same(
    errors.map((each) => each.message.split("\n")[0]).sort(),
    [
      "`needed` is read, but nothing defines it and it has no default.",
      'The value of `list."[definition 1-entry 1]"` is not of type signed integer.',
      "The value of `units.a.port` is not of type signed integer.",
      "The value of `wrong` is not of type signed integer.",
      "There is no option `extra`, but it is defined:",
      "There is no option `units.b.prot`, but it is defined:",
    ].sort(),
  );
});

t.test("a former name that nobody uses is no error", async (t) => {
  const evaluated = evalModules({
    modules: [
      mkRemovedOptionModule(["old"], "Use new."),
      mkRenamedOptionModule(["before"], ["after"]),
      { options: { after: mkOption({ type: types.int, default: 1, description: "A number." }) } },
    ],
  });
  t.strictSame(allErrors(evaluated), []);
  t.strictSame(toPlain(evaluated.config), { after: 1, before: 1 }, "a removed one is not even listed");
  t.throws(() => (evaluated.config as unknown as { readonly old: unknown }).old, /has been removed\. Use new\./);
});

const failureOf = (compute: () => unknown): EvaluationError => {
  try {
    compute();
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
  throw new Error("expected an error");
};

const failureIn = ({ modules, read = "", act = (config) => Reflect.get(config.errorTests, read) }: Mistake) =>
  failureOf(() => act(evalModules({ modules: [declarations, ...modules] }).config));

/** UPDATE_GOLDEN=1 writes the files; look at the difference before committing it. */
async function matchesGolden(t: Test, name: string, text: string): Promise<void> {
  const golden = new URL(`errors/${name}.txt`, import.meta.url);
  if (process.env["UPDATE_GOLDEN"] !== undefined) await writeFile(golden, `${text}\n`);
  t.equal(`${text}\n`, await readFile(golden, "utf8"));
}

for (const [name, mistake] of Object.entries(mistakes)) {
  t.test(`the error "${name}" shows what, where and a code frame`, (t) =>
    matchesGolden(t, name, renderError(failureIn(mistake))),
  );
}

t.test("every kind of error has a golden file, and every golden file a test", async (t) => {
  const source = await readFile(new URL("../../lib/evaluator/errors.ts", import.meta.url), "utf8");
  const union = new Set([...source.matchAll(/readonly reason: "([a-z-]+)"/gu)].map((match) => match[1]!));
  const shown = new Set(Object.values(mistakes).map((mistake) => failureIn(mistake).reason as string));
  t.ok(union.size > 15, "the union was found");
  t.strictSame(
    [...union].filter((reason) => !shown.has(reason)),
    [],
    "kinds of error that no module here makes",
  );
  const files = await readdir(new URL("errors/", import.meta.url));
  t.strictSame(
    files.filter((file) => file.endsWith(".txt")).sort(),
    [...Object.keys(mistakes), "warnings"].map((name) => `${name}.txt`).sort(),
  );
});

t.test("warnings: those of modules, and of former names that are still defined", async (t) => {
  const { config } = evalModules({
    modules: [
      assertionsModule,
      declarations,
      mkRenamedOptionModule(["errorTests", "title"], ["errorTests", "name"]),
      mkChangedOptionModule(["errorTests", "service"], ["errorTests", "port"], () => 443),
      { name: "users.ts", config: { errorTests: { title: "x", service: "https" } } },
      { name: "clock.ts", config: { warnings: ["The clock is not set."] } },
    ],
  });
  await matchesGolden(t, "warnings", checkAssertions(config).join("\n"));
  t.strictSame([config.errorTests.name, config.errorTests.port], ["x", 443]);
});

t.test("places point at the very key", async (t) => {
  const error = failureIn(mistakes["conflict"]!);
  const source = (await readFile(new URL("errors/modules.ts", import.meta.url), "utf8")).split("\n");
  for (const place of placesOf(error.failure)) {
    t.match(showPlace(place), /^tests\/evaluator\/errors\/modules\.ts:\d+:\d+$/u);
    t.match(source[place.line! - 1]!.slice(place.column! - 1), /^name: "(?:one|two)"/u);
  }
});

t.test("all failed assertions are reported together, warnings are returned", async (t) => {
  const assertion = (holds: boolean, message: string) => ({ assertion: holds, message });
  const { config } = evalModules({
    modules: [
      assertionsModule,
      { config: { assertions: [assertion(true, "fine"), assertion(false, "first")], warnings: ["careful"] } },
      { config: { assertions: [assertion(false, "second")] } },
    ],
  });
  const error = failureOf(() => checkAssertions(config));
  t.match(error.message, /^Failed assertions:\n- second\n.*\n- first\n/);
  t.same(checkAssertions(evalModules({ modules: [assertionsModule, { config: { warnings: ["careful"] } }] }).config), [
    "careful",
  ]);
});

t.test("the configuration cannot be changed", async (t) => {
  const config = evalModules<ErrorTests>({ modules: [declarations, { config: { errorTests: { list: [1] } } }] }).config;
  t.throws(() => Reflect.set(config, "errorTests", 1), { message: /cannot be changed/u });
  t.throws(() => (config.errorTests["list"] = []), { message: /cannot be changed/u });
  t.throws(() => (config.errorTests["list"] as number[]).push(2), TypeError);
});

t.test("a configuration that is wrong stays wrong when it is read again", async (t) => {
  const { modules } = mistakes["unknown-option"]!;
  const evaluated = evalModules<ErrorTests>({ modules: [declarations, ...modules] });
  const first = failureOf(() => evaluated.config);
  t.equal(
    failureOf(() => evaluated.config),
    first,
  );
});

t.test("names of options lead into what nobody declared, and past values that are not there", (t) => {
  const { options } = evaluate(
    {
      file: "declared.ts",
      options: {
        free: opt(types.anything, { description: "Anything." }),
        taken: opt(types.attrs),
        maybe: opt(types.nullOr(sub({ port: opt(types.port, { default: 80 }) })), { default: null }),
        open: opt(types.submodule({ freeformType: types.attrsOf(types.int), options: { known: opt(types.str) } })),
        shaped: opt(types.listOf(types.str), { apply: (list: readonly string[]) => list.join("") }),
        unset: opt(types.submodule({ options: { inner: opt(types.str) } })),
        nothing: opt(types.str),
      },
    },
    { file: "first.ts", config: { free: { a: { b: 1 } }, taken: { x: 1 }, open: { known: "k" }, shaped: ["s"] } },
    { file: "second.ts", config: { free: { a: { c: 2 } }, taken: { y: 2 }, open: { extra: 3 }, shaped: ["t"] } },
  );
  const at = (...path: readonly string[]): Loose => {
    const found: Loose = findOption(options, path);
    if (found.kind !== "option") return found;
    const definitions = found.state?.provenance.map((each: Loose) => [each.source.file, each.status, each.value]);
    return { value: found.state?.value, definitions, types: found.types.map((type: Loose) => type.description) };
  };
  t.strictSame(at("free", "a", "c"), { value: 2, definitions: [["second.ts", "wins", 2]], types: ["anything"] });
  t.match(at("free", "a", "d"), { kind: "missing", found: ["free", "a"], known: ["b", "c"] });
  t.strictSame(at("taken", "y"), { value: 2, definitions: [["second.ts", "wins", 2]], types: [] });
  t.match(at("taken", "z"), { kind: "missing", what: "free-form", known: ["x", "y"] });
  t.match(at("maybe", "port"), { value: undefined, definitions: undefined, types: [types.port.description] });
  t.strictSame(at("open", "known").value, "k");
  t.strictSame(at("open", "extra"), { value: 3, definitions: [["second.ts", "wins", 3]], types: ["signed integer"] });
  t.match(at("open", "other"), { kind: "missing", what: "group", known: ["extra", "known"] });
  t.match(at("open", "_module"), { kind: "missing" });
  t.strictSame(at("shaped", "1"), { value: "s", definitions: [["first.ts", "wins", "s"]], types: ["string"] });
  t.match(at("shaped", "2"), { kind: "missing", what: "list", known: ["0", "1"], placeholder: "*" });
  t.strictSame(findOption(options, ["unset", "inner"]).kind, "option");
  t.match(at("nothing", "x"), { kind: "missing", what: "leaf" });
  t.match(at("nothing").value, undefined);
  t.end();
});

t.test("two files that import each other are told apart from other mistakes, with the import's place", async (t) => {
  const file = (name: string, other: string): string =>
    `import { defineModule } from "#lib/evaluator/index.ts";
import other from "./${other}.ts";
export default defineModule({ name: "${name}", imports: [other] });
`;
  const directory = t.testdir({ "a.ts": file("a", "b"), "b.ts": file("b", "a") });
  const { default: a } = (await import(`${directory}/a.ts`)) as { readonly default: Loose };
  t.match(failureOf(() => evaluate(a).config).message, /b\.ts:3:\d+: undefined is not a module[^]*import each other/u);
});
