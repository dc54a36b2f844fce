/** Systems that Gaia's configuration files describe. */
import { basename, dirname, extname } from "node:path";
import { dataModule, type Module } from "#lib/evaluator/index.ts";
import type { Configuration } from "#lib/flake/configuration.ts";
import type { GivenInputs } from "#lib/flake/given-inputs.ts";
import type { Packages } from "#pkgs/index.ts";
import { bootCheck, evalSystem, type System } from "../index.ts";
import { isResolved, resolvedSystem } from "../resolved-file.ts";
import { takeAccounts } from "./accounts.ts";
import { baseModule, boardFiles } from "./base.ts";
import { checkKeys } from "./check.ts";
import { type GaiaDocument, readGaia } from "./document.ts";
import { declareGivenInputs } from "./inputs.ts";
import { preparePrograms } from "./programs.ts";
import { checkBootFiles, checkStartingPoint, prepareStage } from "./staged.ts";
import { GaiaTree, workspaceRoot } from "./tree.ts";
import { settleWriters } from "./writers.ts";

/** What a system is made of: a file, and what it is laid over. */
export interface GaiaRequest {
  /** Absolute. */
  readonly file: string;
  /** Whether what Gaia accepted without a word is only warned of. */
  readonly legacy: boolean;
  readonly pkgs: Packages;
  readonly given: GivenInputs;
  /** What every tree starts from: a base to boot, and a board. */
  readonly base: readonly Module[];
  /** The flake's. */
  readonly directory: string;
}

/** The system that a file describes: one of a Gaia tree, laid over `base`, or one that `resolve` printed. */
export function gaiaConfiguration(request: GaiaRequest): Configuration {
  const { file, pkgs } = request;
  const document = readGaia(file);
  const name = buildName(file);
  const system = isResolved(document.config)
    ? resolvedSystem({ ...request, document })
    : gaiaSystem({ ...request, document, name });
  return {
    name,
    system,
    get package() {
      return system.config.system.build.result;
    },
    get check() {
      return bootCheck({ pkgs, system });
    },
  };
}

/** A file as it was read, and what is to be made of it. */
interface GaiaSystemRequest extends GaiaRequest {
  readonly document: GaiaDocument;
  readonly name: string;
}

function gaiaSystem(request: GaiaSystemRequest): System {
  const { pkgs, given, base } = request;
  const { schema } = evalSystem({ pkgs, modules: base });
  return evalSystem({ pkgs, given, document: request.document, modules: [...base, ...gaiaModules(request, schema)] });
}

/** The modules of a tree: what it says, and what follows from that. */
function gaiaModules(
  { file, document, legacy, given, name }: GaiaSystemRequest,
  schema: System["schema"],
): readonly Module[] {
  const tree = new GaiaTree(document, legacy);
  const board = boardFiles(tree);
  dropSwitchedOff(tree);
  checkKeys(tree, schema);
  // From here on, every value is of the type that its option takes.
  tree.throwProblems();
  setRoot(tree);
  declareGivenInputs(tree, given);
  preparePrograms(tree);
  prepareStage(tree);
  checkStartingPoint(tree);
  checkBootFiles(tree);
  settleWriters(tree);
  const accounts = takeAccounts(tree);
  const derived = baseModule(tree, name, { ...board, accounts });
  tree.throwProblems();
  const { config, placeOf } = { config: tree.config, placeOf: document.placeOf };
  return [derived, dataModule({ file, config, placeOf, isChecked: true })];
}

/** What Gaia does not look at when it is switched off, and what has no switch here. */
function dropSwitchedOff(tree: GaiaTree): void {
  if (tree.value(["workspace", "enabled"]) === false) tree.config["workspace"] = {};
  if (tree.value(["stage", "enabled"]) === false) tree.config["stage"] = {};
  if (tree.value(["stage", "env", "enabled"]) === false) tree.remove(["stage", "env"]);
}

function setRoot(tree: GaiaTree): void {
  const { file } = tree.document;
  const workspace = tree.table("workspace") ?? {};
  const given = String(workspace["root_dir"] ?? ".");
  const root = workspaceRoot(file, given);
  tree.config["workspace"] = { ...workspace, root_dir: root ?? dirname(file) };
  if (root !== undefined) return;
  tree.report({
    path: ["workspace", "root_dir"],
    problem: `'${given}' is relative, and no directory above ${file} has both it and the file below it. Write it absolute`,
    suggestions: [],
  });
  tree.throwProblems();
}

/** The name of a build is that of its file; characters that cannot be in a name become dashes. */
function buildName(file: string): string {
  const name = basename(file, extname(file))
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "");
  return name === "" ? "build" : name;
}
