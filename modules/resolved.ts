import {
  type Config,
  type DefinedValues,
  definedValues,
  defineModule,
  mkOption,
  type Module,
  types,
} from "#lib/evaluator/index.ts";

const options = {
  system: {
    resolved: mkOption({
      // Made here only, so its type is taken on trust.
      type: types.opaque(
        "values of options",
        (value): value is DefinedValues => typeof value === "object" && value !== null,
      ),
      readOnly: true,
      internal: true,
      description: "What all modules and the command line say, merged, with paths relative to `workspace.root_dir`.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    resolved: typeof options;
  }
  interface ModuleArguments {
    /** The modules whose options make up the language of systems. */
    readonly vocabulary: readonly Module[];
  }
}

/** The configuration as one file would say it. */
export default defineModule({
  name: "resolved",
  options,
  config: {
    system: {
      resolved: (config, { options, vocabulary }): DefinedValues => {
        const { values, omitted } = definedValues(options, vocabulary);
        return { values: portable(config, values), omitted };
      },
    },
  },
});

/** The same on every machine: no local directory, and of inputs what they came to, wherever it was given. */
function portable(config: Config, values: DefinedValues["values"]): DefinedValues["values"] {
  const root = config.workspace.root_dir;
  const relative = root === null ? values : (withoutPrefix(values, root) as DefinedValues["values"]);
  const { root_dir: _, ...workspace } = recordAt(relative, "workspace");
  const inputs = { ...recordAt(relative, "inputs"), values: config.inputs.resolved };
  return withoutEmpty({ ...relative, workspace, inputs });
}

function recordAt(values: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> {
  return (values[key] ?? {}) as Readonly<Record<string, unknown>>;
}

/** Only groups: an empty table deeper down may mean something. */
function withoutEmpty(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isEmpty = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, group]) => {
      if (name !== "inputs" && name !== "workspace") return [[name, group] as const];
      const filled = Object.entries(group as object).filter(([, value]) => !isEmpty(value));
      return filled.length === 0 ? [] : [[name, Object.fromEntries(filled)] as const];
    }),
  );
}

/** Local paths below a directory become relative to it. */
function withoutPrefix(value: unknown, directory: string): unknown {
  if (typeof value === "string") {
    if (value === directory) return ".";
    return value.startsWith(`${directory}/`) ? value.slice(directory.length + 1) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => withoutPrefix(each, directory));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutPrefix(each, directory)]));
}
