import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import t from "tap";
import ts from "typescript";

const root = resolve(import.meta.dirname, "..");

/** From the bottom up: a layer imports itself and what stands before it. */
const layers = [
  "lib/evaluator",
  "lib/derivations",
  "lib/platform",
  "lib/archives",
  "lib/store",
  "lib/fetchers",
  "lib/build",
  "lib/machine",
  "lib/flake",
  "pkgs",
  "modules",
  "profiles",
  "systems",
  "lib/cli",
  "flake.ts",
] as const;

/** Packages from the registry that a layer may import; every layer may import Node's own modules unless it is pure. */
const packagesOf: Record<string, readonly string[]> = {
  "lib/evaluator": ["ajv", "@iarna/toml"],
  "lib/derivations": [],
  "lib/platform": ["effect"],
  "lib/archives": ["effect"],
  "lib/store": ["effect"],
  "lib/fetchers": ["effect", "openpgp"],
  "lib/build": ["effect"],
  "lib/flake": ["effect"],
  "lib/machine": ["effect"],
  pkgs: [],
  modules: [],
  profiles: [],
  systems: [],
  "lib/cli": ["effect", "@effect/platform-node", "ink", "react"],
  "flake.ts": [],
};

/** Layers whose results depend on nothing but what they are called with. */
const pureLayers: ReadonlySet<string> = new Set(["lib/evaluator", "lib/derivations"]);

/** Node's modules that compute and touch nothing: all that a pure layer may import. node:module is how it loads a library when one is needed. */
const pureNodeModules: ReadonlySet<string> = new Set(["node:crypto", "node:module", "node:path"]);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly place: string;
}

async function sourceFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Every static and dynamic import of one file, by the compiler's own scanner. */
async function importsOf(file: string): Promise<Import[]> {
  const text = await readFile(file, "utf8");
  return ts.preProcessFile(text, true, true).importedFiles.map((imported) => ({
    from: relative(root, file),
    to: imported.fileName,
    place: `${relative(root, file)}:${text.slice(0, imported.pos).split("\n").length}`,
  }));
}

const layerOf = (path: string): string | undefined =>
  layers.find((layer) => path === layer || path.startsWith(`${layer}/`));

function targetOf({ from, to }: Import): { layer: string | undefined } | { packageName: string } | undefined {
  if (to.startsWith(".")) return { layer: layerOf(relative(root, resolve(root, dirname(from), to))) };
  if (to.startsWith("#")) return { layer: layerOf(to.slice(1)) };
  if (to.startsWith("node:")) return undefined;
  return { packageName: to.split("/", to.startsWith("@") ? 2 : 1).join("/") };
}

function violation(imported: Import): string | undefined {
  const layer = layerOf(imported.from);
  if (layer === undefined) return `${imported.place}: is in no layer`;
  const target = targetOf(imported);
  if (target === undefined) {
    return pureLayers.has(layer) && !pureNodeModules.has(imported.to)
      ? `${imported.place}: ${layer} is pure and imports ${imported.to}`
      : undefined;
  }
  if ("packageName" in target) {
    return packagesOf[layer]?.includes(target.packageName)
      ? undefined
      : `${imported.place}: ${layer} may not import the package ${target.packageName}`;
  }
  if (target.layer === undefined) return `${imported.place}: imports ${imported.to}, which is in no layer`;
  return layers.indexOf(target.layer as never) <= layers.indexOf(layer as never)
    ? undefined
    : `${imported.place}: ${layer} is below ${target.layer} and imports it`;
}

t.test("each layer imports only itself, the layers below it and its own packages", async (t) => {
  const folders = ["lib", "pkgs", "modules", "profiles", "systems"];
  const files = (await Promise.all(folders.map((folder) => sourceFiles(join(root, folder))))).flat();
  const imports = (await Promise.all([...files, join(root, "flake.ts")].map(importsOf))).flat();
  t.ok(imports.length > 100, "the scan finds the imports");
  t.strictSame(
    imports.map(violation).filter((found) => found !== undefined),
    [],
  );
});

t.test("pure layers ask nothing of the process", async (t) => {
  for (const layer of pureLayers) {
    for (const file of await sourceFiles(join(root, layer))) {
      const text = await readFile(file, "utf8");
      t.notMatch(
        text,
        /\b(?:process|performance)\.|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/,
        relative(root, file),
      );
    }
  }
});

t.test("an import that goes up, out or to a foreign package is reported", async (t) => {
  const at = (from: string, to: string) => violation({ from, to, place: `${from}:1` });
  t.match(at("lib/store/nar.ts", "#lib/build/plan.ts"), "lib/store is below lib/build");
  t.match(at("lib/evaluator/cell.ts", "effect/Effect"), "may not import the package effect");
  t.match(at("lib/derivations/aterm.ts", "node:fs"), "is pure");
  t.match(at("lib/evaluator/places.ts", "node:fs"), "is pure");
  t.match(at("lib/store/nar.ts", "../../tests/x.ts"), "in no layer");
  t.equal(at("lib/build/plan.ts", "../store/nar.ts"), undefined);
});
