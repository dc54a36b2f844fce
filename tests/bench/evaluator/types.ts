/** 200 generated modules with 1,600 options, for measuring the type checker. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

function moduleText(n: number, all: number): string {
  const other = (n + 1) % all;
  return `import { defineModule, mkDefault, mkForce, mkIf, mkMerge, mkOption, types } from "#lib/evaluator/index.ts";

const options = {
  bench${n}: {
    enable: mkOption({ type: types.bool, default: false, description: "Switch ${n}." }),
    name: mkOption({ type: types.str, default: "n${n}", description: "Name ${n}." }),
    port: mkOption({ type: types.port, default: ${1000 + n}, description: "Port ${n}." }),
    mode: mkOption({ type: types.enum(["a", "b", "c"]), default: "a", description: "Mode ${n}." }),
    hosts: mkOption({ type: types.listOf(types.str), default: [], description: "Hosts ${n}." }),
    environment: mkOption({ type: types.attrsOf(types.str), default: {}, description: "Environment ${n}." }),
    limit: mkOption({ type: types.nullOr(types.int), default: null, description: "Limit ${n}." }),
    units: mkOption({
      type: types.attrsOf(types.submodule({ options: { port: mkOption({ type: types.port }), args: mkOption({ type: types.listOf(types.str) }) } })),
      default: {},
      description: "Units ${n}.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    bench${n}: typeof options;
  }
}

export default defineModule({
  options,
  config: {
    bench${n}: {
      name: mkIf((config) => config.bench${n}.enable, "on"),
      hosts: mkMerge([["x"], mkIf(true, [(config) => config.bench${other}.name])]),
      environment: { PORT: (config) => String(config.bench${n}.port), MODE: mkDefault("m") },
      units: { web: { port: (config) => config.bench${other}.port, args: ["--x"] } },
    },
    bench${other}: { mode: mkForce("b"), limit: (config) => config.bench${n}.port },
  },
});
`;
}

/** Writes the modules into a directory below the project, with a tsconfig of their own. */
export async function writeTypedModules(directory: string, count: number): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await Promise.all(
    Array.from({ length: count }, (_, n) => writeFile(join(directory, `m${n}.ts`), moduleText(n, count))),
  );
  const config = {
    extends: "../../tsconfig.json",
    include: ["./*.ts"],
    exclude: [],
    compilerOptions: { rootDir: "../.." },
  };
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify(config));
}
