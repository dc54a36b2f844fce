import fc from "fast-check";
import { execFileSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { type Derivation, derivation, type DerivationAttributes } from "#lib/derivations/derivation.ts";
import { hashData } from "#lib/derivations/hash.ts";
import { instantiate } from "#lib/derivations/instantiate.ts";

const nix = ((): string | false => {
  try {
    return execFileSync("nix-instantiate", ["--version"], { encoding: "utf8" });
  } catch {
    return false;
  }
})();

/** A derivation as plain data, in which each number `n` of `inputs` means the `n`th one before it. */
interface Recipe {
  readonly kind: "input" | "floating" | "fixed";
  readonly script: string;
  readonly env: Readonly<Record<string, string | number | boolean | null | readonly (string | number)[]>>;
  readonly outputs: readonly string[];
  readonly inputs: readonly number[];
}

const text = fc.string({
  unit: fc.constantFrom("a", "é", "☃", "😀", '"', "\\", "\n", "\r", "\t", "$", "'", " ", "\u0001"),
});
const recipes: fc.Arbitrary<Recipe> = fc.record({
  kind: fc.constantFrom("input" as const, "floating" as const, "fixed" as const),
  script: text,
  env: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom("a", "B", "_", "z", "1") }).map((name) => `v${name}`),
    fc.oneof(
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.oneof(text, fc.integer()), { maxLength: 3 }),
    ),
    { maxKeys: 4 },
  ),
  outputs: fc.constantFrom(["out"], ["out", "dev"], ["lib", "bin", "doc"]),
  inputs: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
});

/** The derivations of a list of recipes, by our own means. */
function ours(list: readonly Recipe[]): Derivation[] {
  const made: Derivation[] = [];
  for (const [index, recipe] of list.entries()) {
    const inputs = recipe.inputs.flatMap((back) => made[index - back] ?? []);
    const common = { name: `n${index}`, builder: "/bin/sh", args: ["-c", recipe.script] };
    const hash = hashData("sha256", recipe.script);
    const attributes: DerivationAttributes =
      recipe.kind === "fixed"
        ? { ...common, env: { ...recipe.env, inputs }, fixedOutput: { mode: "recursive", hash } }
        : {
            ...common,
            outputs: recipe.outputs,
            addressing: recipe.kind === "input" ? "input" : "content",
            env: {
              ...recipe.env,
              inputs,
              ...(recipe.kind === "floating" && { outputHashAlgo: "sha256", outputHashMode: "recursive" }),
            },
          };
    made.push(derivation(attributes));
  }
  return made;
}

/** The same as a Nix expression: a list of derivations. */
const expression = (file: string): string => `
let
  recipes = builtins.fromJSON (builtins.readFile ${file});
  made = builtins.genList (index:
    let
      recipe = builtins.elemAt recipes index;
      inputs = map (back: builtins.elemAt made (index - back)) (builtins.filter (back: back <= index) recipe.inputs);
    in derivation (recipe.env // {
      name = "n\${toString index}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" recipe.script ];
      inherit inputs;
    } // (if recipe.kind == "fixed" then {
      outputHash = builtins.hashString "sha256" recipe.script; outputHashAlgo = "sha256"; outputHashMode = "recursive";
    } else { inherit (recipe) outputs; } // (if recipe.kind == "floating" then {
      __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive";
    } else {})))) (builtins.length recipes);
in made`;

void t.test(
  "random graphs of derivations are those of real Nix",
  { skip: nix === false && "no nix on the PATH" },
  (t) => {
    const directory = nodeFs.mkdtempSync(join(tmpdir(), "real-nix-"));
    t.teardown(() => {
      execFileSync("chmod", ["-R", "u+w", directory]);
      nodeFs.rmSync(directory, { recursive: true });
    });
    const list = fc.sample(recipes, { numRuns: 60, seed: 42 });
    nodeFs.writeFileSync(join(directory, "recipes.json"), JSON.stringify(list));
    nodeFs.writeFileSync(join(directory, "all.nix"), expression("./recipes.json"));
    const paths = execFileSync(
      "nix-instantiate",
      [
        "--store",
        join(directory, "s"),
        "--option",
        "experimental-features",
        "ca-derivations",
        "--option",
        "build-users-group",
        "",
        join(directory, "all.nix"),
      ],
      { encoding: "utf8", env: { ...process.env, HOME: directory }, stdio: ["ignore", "pipe", "ignore"] },
    )
      .trim()
      .split("\n")
      .map((line) => line.replace(/!.*$/, ""));
    const made = ours(list);
    const { derivations } = instantiate(made, new Map());
    t.equal(paths.length, list.length);
    for (const [index, root] of made.entries()) {
      const result = derivations.get(root)!;
      t.equal(
        result.text,
        nodeFs.readFileSync(join(directory, "s", paths[index]!), "utf8"),
        `n${index}: ${list[index]!.kind}`,
      );
      t.equal(result.path, paths[index], `n${index}`);
    }
    t.end();
  },
);
