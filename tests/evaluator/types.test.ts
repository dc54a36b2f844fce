/** The static types: what is an error here must stay one. The compiler checks this file; running it checks little. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import {
  type Config,
  type ConfigOf,
  defineModule,
  evalModules,
  mkAfter,
  mkDefault,
  mkEnableOption,
  mkForce,
  mkIf,
  mkMerge,
  mkOption,
  mkOptionDefault,
  types,
} from "#lib/evaluator/index.ts";

const options = {
  typeTests: {
    /** The name. */
    name: mkOption({ type: types.str, default: "x" }),
    mode: mkOption({ type: types.enum(["dhcp", "static"]), default: "dhcp" }),
    ports: mkOption({ type: types.listOf(types.port), default: [] }),
    // A default that reads the configuration: its result is annotated, or the announced type would depend on itself.
    derived: mkOption({ type: types.str, default: (config): string => `${config.typeTests.name}.local` }),
    derivedToo: mkOption({ type: types.str, default: (config: Config): string => `${config.typeTests.name}.local` }),
    gateway: mkOption({ type: types.nullOr(types.str), default: null }),
    mixed: mkOption({ type: types.either(types.int, types.listOf(types.str)), default: 1 }),
    applied: mkOption({ type: types.str, default: "abc", apply: (value) => value.length }),
    coerced: mkOption({ type: types.coercedTo(types.str, (text) => [text], types.listOf(types.str)), default: [] }),
    on: mkEnableOption("the tests"),
    open: mkOption({
      type: types.submodule({
        options: { level: mkOption({ type: types.int, default: 1 }) },
        freeformType: types.attrsOf(types.str),
      }),
      default: {},
    }),
    units: mkOption({
      type: types.attrsOf(
        types
          .submodule({
            options: {
              port: mkOption({ type: types.int, default: 1 }),
              env: mkOption({ type: types.attrsOf(types.str), default: {} }),
              command: mkOption({ type: types.str }),
            },
          })
          .withConfig({
            command: mkOptionDefault((unit, { name }) => `${name} ${unit.port.toFixed()}`),
            env: { A: (unit) => unit.command, B: mkIf((unit) => unit.port > 1, "x") },
          }),
      ),
      default: {},
    }),
  },
};

const more = {
  // The same namespace, extended by another module.
  typeTests: { extra: mkOption({ type: types.bool, default: false }) },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    typeTests: typeof options;
    typeTestsMore: typeof more;
  }
}

const typed = defineModule({
  options,
  config: {
    typeTests: {
      name: mkIf((config) => config.typeTests.mode === "static", "a"),
      ports: mkMerge([[1], mkIf(true, [2]), (config) => [config.typeTests.applied], mkAfter([9])]),
      mode: mkForce("static"),
      gateway: (config) => config.typeTests.gateway,
      mixed: mkDefault(["a"]),
      coerced: "one",
      extra: (config) => config.typeTests.on,
      open: { level: 2, other: "text" },
      units: {
        web: { port: (config) => config.typeTests.applied, env: mkForce({ x: "y" }) },
        off: mkIf(false, { port: 1 }),
        made: (config) => ({ port: config.typeTests.ports[0] ?? 1 }),
      },
    },
  },
});
const whole = defineModule({
  options: more,
  config: mkIf((config) => config.typeTests.on, { typeTests: mkDefault({ name: "whole" }) }),
});

t.test("a typed module evaluates to what its types say", async (t) => {
  const { config } = evalModules({ modules: [typed, whole] });
  const name: string = config.typeTests.name;
  const length: number = config.typeTests.applied;
  const command: string | undefined = config.typeTests.units["web"]?.command;
  const mixed: number | readonly string[] = config.typeTests.mixed;
  t.same([name, length, command, mixed], ["a", 3, "web 3", ["a"]]);
  t.same(config.typeTests.ports, [1, 2, 3, 9]);
  t.same(config.typeTests.open, { level: 2, other: "text" });
  const read: ConfigOf<typeof options>["typeTests"]["mode"] = config.typeTests.mode;
  t.equal(read, "static");
});

t.test("each kind of mistake is one compile error on its token", async (t) => {
  // Never called: only the compiler looks at it.
  const mistakes = () => [
    // @ts-expect-error misspelt option
    defineModule({ config: { typeTests: { nmae: "x" } } }),
    // @ts-expect-error misspelt namespace
    defineModule({ config: { typeTest: {} } }),
    // @ts-expect-error wrong value
    defineModule({ config: { typeTests: { name: 1 } } }),
    // @ts-expect-error wrong value inside mkIf
    defineModule({ config: { typeTests: { name: mkIf(true, 1) } } }),
    // @ts-expect-error misspelt option inside mkIf
    defineModule({ config: { typeTests: mkIf(true, { nmae: "x" }) } }),
    // @ts-expect-error misspelt option inside properties around the whole module
    defineModule({ config: mkIf(true, { typeTests: mkForce({ nmae: "x" }) }) }),
    // @ts-expect-error wrong value in one element of mkMerge
    defineModule({ config: { typeTests: mkMerge([{ name: "x" }, { name: 3 }]) } }),
    // @ts-expect-error not in the enum
    defineModule({ config: { typeTests: { mode: "satic" } } }),
    // @ts-expect-error not in the enum, inside mkForce
    defineModule({ config: { typeTests: { mode: mkForce("satic") } } }),
    // @ts-expect-error misspelt option of a submodule
    defineModule({ config: { typeTests: { units: { a: { prot: 1 } } } } }),
    // @ts-expect-error wrong value in a submodule
    defineModule({ config: { typeTests: { units: { a: { port: "x" } } } } }),
    // @ts-expect-error misspelt option of a submodule inside mkIf
    defineModule({ config: { typeTests: { units: { a: mkIf(true, { prot: 1 }) } } } }),
    // @ts-expect-error misspelt read in a condition
    defineModule({ config: { typeTests: { name: mkIf((config) => config.typeTests.nmae === "x", "y") } } }),
    // @ts-expect-error misspelt read in a thunk
    defineModule({ config: { typeTests: { name: (config) => config.typeTests.nmae } } }),
    // @ts-expect-error misspelt option in what a thunk returns
    defineModule({ config: { typeTests: { units: () => ({ a: { prot: 1 } }) } } }),
    // @ts-expect-error wrong list element
    defineModule({ config: { typeTests: { ports: ["x"] } } }),
    // @ts-expect-error wrong result of a thunk
    defineModule({ config: { typeTests: { ports: (config) => config.typeTests.name } } }),
    // @ts-expect-error neither null nor a string
    defineModule({ config: { typeTests: { gateway: 3 } } }),
    // @ts-expect-error neither alternative
    defineModule({ config: { typeTests: { mixed: true } } }),
    // @ts-expect-error wrong type for a freeform key
    defineModule({ config: { typeTests: { open: { other: true } } } }),
    // @ts-expect-error a thunk cannot stand for a group of options
    defineModule({ config: { typeTests: () => ({ name: "x" }) } }),
    // @ts-expect-error a condition that is not boolean
    defineModule({ config: { typeTests: { name: mkIf("yes", "x") } } }),
    // @ts-expect-error what apply returns is not what is written
    defineModule({ config: { typeTests: { applied: 3 } } }),
    // @ts-expect-error a default of the wrong type
    mkOption({ type: types.int, default: "x" }),
    // @ts-expect-error a default outside of the enum
    mkOption({ type: types.enum(["a"]), default: "b" }),
    // @ts-expect-error a default thunk with the wrong result
    mkOption({ type: types.int, default: (config: Config): string => config.typeTests.name }),
    // @ts-expect-error misspelt part of a module
    defineModule({ confg: {} }),
    // @ts-expect-error misspelt field of a declaration
    mkOption({ type: types.int, defualt: 1 }),
    // @ts-expect-error a submodule's own thunk misspells one of its options
    types.submodule({ options: { port: mkOption({ type: types.int }) } }).withConfig({ port: (unit) => unit.prot }),
  ];
  t.type(mistakes, "function");
  // @ts-expect-error config is read-only
  const change = (config: Config) => (config.typeTests.name = "y");
  t.type(change, "function");
});

t.test(
  "what the compiler says of each is one error, on the wrong token, and short",
  { timeout: 300_000 },
  async (t) => {
    const text = (await readFile(new URL(import.meta.url), "utf8")).replaceAll(/@ts-expect-error(?= )/g, "mistake:");
    const directory = t.testdir({ "mistakes.ts": text });
    const root = resolve(import.meta.dirname, "../..");
    await writeFile(
      join(directory, "tsconfig.json"),
      JSON.stringify({
        extends: join(relative(directory, root), "tsconfig.json"),
        include: ["mistakes.ts"],
        exclude: [],
        compilerOptions: { rootDir: root },
      }),
    );
    // The program itself: the test runner puts hooks into every Node process that a test starts.
    const locator = join(root, "node_modules/typescript-native/lib/getExePath.js");
    const { default: compiler } = (await import(locator)) as { readonly default: () => string };
    const { stdout } = await promisify(execFile)(compiler(), ["--noEmit", "--pretty", "false", "-p", directory], {
      cwd: root,
    }).then(
      () => ({ stdout: "" }),
      (error: { readonly stdout: string }) => error,
    );
    const isMistake = (line: string): boolean => /^ *\/\/ mistake: /.test(line);
    const lines = text.split("\n");
    const report: string[] = [];
    let mistake = 0;
    for (const error of stdout.split(/\n(?=\S)/)) {
      const [, row = "", column = "", message = ""] =
        /mistakes\.ts\((\d+),(\d+)\): error TS\d+: ([^]*)$/.exec(error) ?? [];
      const before = lines.slice(0, Number(row) - 1).findLastIndex(isMistake) + 1;
      t.not(before, mistake, `one error for line ${before}`);
      mistake = before;
      const [token = ""] =
        /^(?:[\w$]+|"[^"]*"|\S)/.exec((lines[Number(row) - 1] ?? "").slice(Number(column) - 1)) ?? [];
      const [what = "", ...why] = message.trimEnd().split("\n");
      t.ok(what.length < 520 && why.length <= 6, `readable: ${message}`);
      report.push(`${lines[before - 1]?.replace(/.*mistake: /, "") ?? ""}\n  at ${token}\n  ${what}`);
    }
    t.equal(report.length, lines.filter(isMistake).length, "every mistake is found");
    const golden = new URL("types.txt", import.meta.url);
    const shown = `${report.join("\n\n")}\n`;
    // UPDATE_GOLDEN=1 writes the file; look at the difference before committing it.
    if (process.env["UPDATE_GOLDEN"] !== undefined) await writeFile(golden, shown);
    t.equal(shown, await readFile(golden, "utf8"));
  },
);
