/** Modules with one mistake each; inspection.test.ts compares what is said about them with golden files. */
import "#lib/platform/source-files.ts";
import {
  assertionsModule,
  checkAssertions,
  type Config,
  defineModule,
  mkDefault,
  mkIf,
  mkOption,
  type Module,
  type ModuleReference,
  types,
} from "#lib/evaluator/index.ts";

const options = {
  errorTests: {
    name: mkOption({ type: types.str, description: "A name." }),
    port: mkOption({ type: types.port, default: 80 }),
    fixed: mkOption({ type: types.int, default: 1, readOnly: true }),
    list: mkOption({ type: types.listOf(types.int), default: [] }),
    a: mkOption({ type: types.int }),
    b: mkOption({ type: types.int }),
    c: mkOption({ type: types.int }),
    units: mkOption({ type: types.attrsOf(types.submodule({ options: { port: mkOption({ type: types.port }) } })), default: {} }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    errorTests: typeof options;
  }
}

export const declarations: Module = defineModule({ name: "declarations", options });

/** The configuration type, to read what fails. */
export interface ErrorTests {
  readonly errorTests: Record<string, unknown>;
}

export interface Mistake {
  readonly modules: readonly ModuleReference[];
  /** The option whose reading fails. */
  readonly read?: string;
  /** What fails, where that is not reading an option. */
  readonly act?: (config: Config) => unknown;
}

export const mistakes: Readonly<Record<string, Mistake>> = {
  "unknown-option": {
    // @ts-expect-error misspelt on purpose
    modules: [defineModule({ config: { errorTests: { prot: 81 } } })],
    read: "port",
  },
  conflict: {
    modules: [
      defineModule({ config: { errorTests: { name: "one" } } }),
      defineModule({
        config: { errorTests: mkIf(true, { name: "two" }) },
      }),
    ],
    read: "name",
  },
  "wrong-type": {
    // @ts-expect-error wrong on purpose
    modules: [defineModule({ config: { errorTests: { name: mkDefault(5) } } })],
    read: "name",
  },
  "wrong-range": {
    modules: [defineModule({ config: { errorTests: { port: 70_000 } } })],
    read: "port",
  },
  "wrong-element": {
    // @ts-expect-error wrong on purpose
    modules: [defineModule({ config: { errorTests: { list: [1, "two"] } } })],
    read: "list",
  },
  "read-only": {
    modules: [defineModule({ config: { errorTests: { fixed: 2 } } })],
    read: "fixed",
  },
  undefined: { modules: [], read: "name" },
  cycle: {
    modules: [
      defineModule({
        config: {
          errorTests: {
            a: (config) => config.errorTests.b,
            b: (config) => config.errorTests.c + 1,
            c: mkIf((config) => config.errorTests.a > 0, 1),
          },
        },
      }),
    ],
    read: "a",
  },
  "bad-property": {
    // @ts-expect-error wrong on purpose
    modules: [defineModule({ config: { errorTests: { name: mkIf("yes", "x") } } })],
    read: "name",
  },
  "bad-import": {
    modules: [defineModule({ imports: [5 as never] })],
    read: "name",
  },
  "bad-declaration": {
    modules: [defineModule({ options: { errorTests: { name: mkOption({ type: types.int }) } } })],
    read: "name",
  },
  "thunk-threw": {
    modules: [
      defineModule({
        config: {
          errorTests: {
            name: () => {
              throw new TypeError("out of ideas");
            },
          },
        },
      }),
    ],
    read: "name",
  },
  "thunk-for-group": {
    // @ts-expect-error wrong on purpose
    modules: [defineModule({ config: { errorTests: () => ({ name: "x" }) } })],
    read: "name",
  },
  "unknown-read": {
    // @ts-expect-error misspelt on purpose
    modules: [defineModule({ config: { errorTests: { name: (config) => config.errorTests.nmae } } })],
    read: "name",
  },
  "bad-module": {
    // @ts-expect-error wrong on purpose
    modules: [defineModule({ config: { errorTests: { name: "x" } }, services: {} })],
    read: "name",
  },
  "structure-depends-on-config": {
    modules: [
      function chooseByName({ config }: { readonly config: Config }) {
        return { imports: config.errorTests.name === "x" ? [] : [{}] };
      },
    ],
    read: "name",
  },
  "missing-argument": {
    modules: [
      defineModule({
        config: {
          errorTests: {
            // @ts-expect-error misspelt on purpose
            name: (_config, { optoins }) => String(optoins),
          },
        },
      }),
    ],
    read: "name",
  },
  "bad-data": { modules: [defineModule({ imports: ["../data/mistakes.toml"] })], read: "name" },
  frozen: {
    modules: [],
    act: (config) => Reflect.set(config.errorTests, "name", "x"),
  },
  assertions: {
    modules: [
      assertionsModule,
      defineModule({
        config: {
          assertions: [
            { assertion: true, message: "This holds." },
            { assertion: false, message: "One port is not enough. Set `errorTests.port`." },
          ],
        },
      }),
      defineModule({
        config: {
          assertions: (config) => [
            { assertion: config.errorTests.port !== 80, message: "Port 80 is taken.\nSet another one." },
          ],
        },
      }),
    ],
    act: (config) => checkAssertions(config),
  },
};
