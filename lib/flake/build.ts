import * as Data from "effect/Data";
import * as Effect from "effect/Effect";
import type * as Result from "effect/Result";
import { build, type BuildResult } from "#lib/build/build.ts";
import type { InstantiatedSources } from "#lib/build/built-already.ts";
import { BuildsFailed, type FailedDerivation, type RealisationError } from "#lib/build/errors.ts";
import type { BuildOptions } from "#lib/build/options.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { evaluateFlake } from "./evaluate.ts";
import { type CheckedOutputs, type Evaluation, type EvaluationPolicy, lockFile } from "./outputs.ts";
import type { FlakeOutputs, LocatedFlake } from "./flake.ts";
import { writeLock } from "./lock-file.ts";
import { environmentsWith, refresh } from "./lock-update.ts";
import { discoverMirrors } from "./mirrors.ts";

/** Pinned files are gone from every mirror, and the lock file may not be changed, or resolving again pins the same ones. */
export class PinsGone extends Data.TaggedError("PinsGone")<{
  readonly file: string;
  readonly paths: readonly string[];
  readonly environments: readonly string[];
  readonly locked: boolean;
  /** What failed beside, for other reasons. */
  readonly others: readonly FailedDerivation[];
}> {
  override get message(): string {
    const paths = this.paths.map((path) => `  ${path}\n`).join("");
    const remedy = this.locked
      ? `Run 'update ${this.environments.join(" ")}', or the same command without --locked, and commit the lock file.`
      : "The mirrors' index still lists them: a mirror is out of step. Try again later, or set HELIOS_DEBIAN_MIRROR to another one.";
    const others = this.others.length === 0 ? "" : `\n\n${new BuildsFailed({ failures: this.others }).message}`;
    return `${this.file} pins files that are gone from every mirror:\n${paths}${remedy}${others}`;
  }
}

/** Derivations to build, and whatever else the caller wants to know of the outputs. */
export interface BuildRequest {
  readonly derivations: readonly Derivation[];
  /** The files that describe them, where the flake does not. */
  readonly files?: ReadonlyMap<Derivation, string>;
}

/** What is known before the engine is loaded. */
export interface BegunBuild<A extends BuildRequest> {
  readonly evaluation: Evaluation<CheckedOutputs<A>>;
  readonly instantiated: InstantiatedSources;
}

/** How often pins are renewed in one run: a mirror may be updated while it is read. */
const mostRenewals = 3;

/**
 * Evaluates and builds. When a pinned file is gone from every mirror, the
 * environments that contain it are resolved again, the lock is written, and
 * evaluation starts over; with `locked` that is an error.
 *
 * @param begun what was done of it already, in the same way
 */
export const buildFlake = Effect.fnUntraced(function* <A extends BuildRequest, E>(
  flake: LocatedFlake,
  policy: EvaluationPolicy,
  options: BuildOptions,
  select: (outputs: FlakeOutputs) => Result.Result<A, E>,
  begun?: BegunBuild<A>,
) {
  for (let renewals = 0; ; renewals++) {
    const before = renewals === 0 ? begun : undefined;
    const evaluation: Evaluation<A> = yield* evaluateFlake(flake, policy, select, before?.evaluation);
    const { derivations, files } = evaluation.value;
    const originOf = (root: Derivation): string => files?.get(root) ?? flake.directory;
    const attempt: BuildResult | BuildsFailed = yield* Effect.catchTag(
      build(derivations, { ...options, originOf }, before?.instantiated),
      "BuildsFailed",
      (failed) => (goneFiles(failed).size > 0 ? Effect.succeed(failed) : Effect.fail(failed)),
    );
    if (!("_tag" in attempt)) return { ...evaluation, result: attempt };

    const gone = goneFiles(attempt);
    const file = lockFile(flake);
    const environments = environmentsWith(evaluation.lock, gone);
    // What a recipe names itself is not the lock file's, and resolving anew would not find it either.
    if (environments.length === 0) return yield* attempt;
    const pinned = new Set(environments.flatMap((name) => evaluation.lock.environments.get(name)?.packages ?? []));
    const paths = [...gone].filter((path) => pinned.has(path)).sort();
    const others = attempt.failures.filter(({ error }) => !paths.includes(goneFile(error) ?? ""));
    const given = { file, paths, environments, others };
    if (policy.locked || renewals === mostRenewals) return yield* new PinsGone({ ...given, locked: policy.locked });
    const mirrors = yield* discoverMirrors(flake.inputs.debian);
    const reason = `${paths[0]?.split("/").at(-1) ?? "a pinned file"} is gone from every mirror`;
    const update = yield* refresh(evaluation.lock, environments, reason, { mirrors });
    if (update.changes.length === 0) return yield* new PinsGone({ ...given, locked: false });
    yield* writeLock(file, update.lock);
  }
});

/** What fetches found to be gone: pool paths, and URLs of recipes. */
function goneFiles({ failures }: BuildsFailed): Set<string> {
  return new Set(failures.flatMap(({ error }) => goneFile(error) ?? []));
}

function goneFile(error: RealisationError): string | undefined {
  const cause = error._tag === "BuiltinFailed" ? error.failure.cause : undefined;
  const gone = typeof cause === "object" && cause !== null && "_tag" in cause && cause._tag === "FileGone";
  return gone && "path" in cause ? String(cause.path) : undefined;
}
