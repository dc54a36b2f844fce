/** Systems from what `resolve` printed: one file that says everything. */
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { dataModule, defineModule, EvaluationError, type Place } from "#lib/evaluator/index.ts";
import type { GivenInputs } from "#lib/flake/given-inputs.ts";
import type { Packages } from "#pkgs/index.ts";
import { evalSystem, type System } from "./index.ts";
import { localPaths } from "./resolved.ts";

/** A file as it was read. */
export interface ResolvedDocument {
  readonly file: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly placeOf: (path: readonly string[]) => Place | undefined;
}

/** What a system is made of. */
export interface ResolvedRequest {
  readonly document: ResolvedDocument;
  readonly legacy: boolean;
  readonly pkgs: Packages;
  readonly given: GivenInputs;
  /** The flake's. */
  readonly directory: string;
}

/** Whether a file is what `resolve` prints, rather than what somebody wrote. */
export function isResolved(config: ResolvedDocument["config"]): boolean {
  return typeof config["resolved"] === "object" && config["resolved"] !== null;
}

/** The system of such a file. Nothing is laid below it, so that it is the one that was resolved. */
export function resolvedSystem({ document, legacy, pkgs, given, directory }: ResolvedRequest): System {
  const { file, config, placeOf } = document;
  const { paths, omitted } = config["resolved"] as { readonly paths?: unknown; readonly omitted?: unknown };
  const isOfFlake = paths !== "file";
  if (!isOfFlake) refuseStore(document);
  const missing = Array.isArray(omitted) ? omitted.map(String) : [];
  const place = defineModule({
    file,
    config: {
      build: { legacy, pinnedBy: isOfFlake ? "name" : "content" },
      ...(isOfFlake ? {} : { workspace: { root_dir: dirname(file) } }),
      warnings:
        missing.length === 0
          ? []
          : [`${file} is without ${missing.join(", ")}, which no such file holds: the system is without it, too.`],
    },
  });
  return evalSystem({ pkgs, given, directory, document, modules: [place, dataModule({ file, config, placeOf })] });
}

/** The file lies beside an image, where nothing of the tree is that its paths lead to. */
function refuseStore({ file, config, placeOf }: ResolvedDocument): void {
  const [path] = localPaths(config);
  if (path === undefined || !realpathSync(file).includes("/nix/store/")) return;
  const problem = `paths start at the directory that this file lies in, and it lies in the store, without what '${path}' names. Copy it to the top of the tree that it was made from`;
  throw new EvaluationError({
    reason: "bad-data",
    file,
    problems: [{ path: ["resolved", "paths"], problem, suggestions: [], ...placeOf(["resolved", "paths"]) }],
  });
}
