import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { derivationName, type DerivationPath, parseDerivationPath } from "#lib/derivations/store-path.ts";
import { type BegunBuild, buildFlake, type BuildRequest } from "#lib/flake/build.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { FlakeOutputs, LocatedFlake } from "#lib/flake/flake.ts";
import { type Installable, parseInstallable } from "#lib/flake/installable.ts";
import { Store } from "#lib/store/store.ts";
import { UnsuitableFlags } from "../errors.ts";
import { withEngine } from "../engine.ts";
import { type BuildFlags, buildOptions, type SubstitutionFlags, type WatchFlags } from "../flags.ts";
import { lazily } from "../lazily.ts";
import { printText } from "../print.ts";
import { type Built, resultLinks, resultText, selectAll, selectRequest } from "./build-results.ts";
import { replayCommand } from "./replay-command.ts";
import { storePathAt } from "./store-paths.ts";
import { substituteFirst, substitutionOptions } from "./substitution.ts";

/** What to build, and how. */
export interface BuildInput extends BuildFlags, SubstitutionFlags, WatchFlags {
  readonly installables: readonly string[];
  readonly outLink: string;
  readonly noLink: boolean;
  readonly dryRun: boolean;
  readonly rebuild: boolean;
  readonly rebuildAll: boolean;
  readonly shell: boolean;
  readonly json: boolean;
}

/** Something to build: of the flake, or a derivation that is in the store. */
export type Target = Derivation | DerivationPath;

/**
 * Builds installables and derivations of the store, or does instead what a flag says.
 *
 * @param begun what `beginBuild` did of it
 */
export const build = (flake: LocatedFlake, input: BuildInput, begun?: BegunBuild<BuildRequest>) =>
  withEngine(
    flake,
    input,
    Effect.gen(function* () {
      const instead = [input.dryRun, input.rebuild, input.rebuildAll, input.shell].filter(Boolean).length;
      if (instead > 1) {
        return yield* new UnsuitableFlags({
          problem: "--dry-run, --rebuild, --rebuild-all and --shell exclude each other. Choose one.",
        });
      }
      const options = {
        ...buildOptions(input),
        substitution: yield* substitutionOptions(input),
        replayCommand: replayCommand(flake, input),
      };
      const [installables, paths] = yield* parseTargets(input.installables);
      const first: Installable = { text: ".", path: [] };
      const warnAbout = installables.length + paths.length > 0 ? installables : [first];
      const policy = { ...input, warnAbout };
      if (instead > 0) {
        const { value } = yield* evaluateFlake(flake, policy, (outputs) => selectAll(outputs, installables, paths));
        const targets = [...value, ...paths];
        if (input.dryRun)
          return yield* lazily(
            () => import("./build-plan.ts"),
            ({ planBuild }) => planBuild(targets, options.substitution, input),
          );
        yield* substituteFirst(targets, input);
        return yield* input.shell
          ? lazily(
              () => import("./build-shell.ts"),
              ({ openShell }) => openShell(targets, options),
            )
          : lazily(
              () => import("./build-again.ts"),
              ({ buildAgain }) => buildAgain(targets, options, input),
            );
      }
      const built: Built[] = [];
      if (installables.length > 0 || paths.length === 0) {
        const select = (outputs: FlakeOutputs) => selectRequest(outputs, installables, paths);
        const { value, result } = yield* buildFlake(flake, policy, options, select, begun);
        for (const derivation of value.derivations) {
          built.push({ name: derivation.name, outputs: result.outputs.get(derivation) ?? new Map() });
        }
      }
      for (const path of paths) {
        const outputs = yield* lazily(
          () => import("#lib/build/rebuild.ts"),
          ({ buildStored }) => buildStored(path, options),
        );
        built.push({ name: derivationName(path), outputs });
      }
      if (!input.noLink) yield* linkResults(built, input.outLink);
      yield* printResults(built, input);
    }),
  );

/** Derivations of the store are told by their paths. */
const parseTargets = Effect.fnUntraced(function* (texts: readonly string[]) {
  const installables: Installable[] = [];
  const paths: DerivationPath[] = [];
  for (const text of texts) {
    if (/^\.{0,2}\/.*\.drv$/.test(text)) {
      paths.push(parseDerivationPath(yield* storePathAt(text)));
      continue;
    }
    const installable = parseInstallable(text);
    if ("_tag" in installable) return yield* Effect.fail(installable);
    installables.push(installable);
  }
  return [installables, paths] as const;
});

const linkResults = Effect.fnUntraced(function* (built: readonly Built[], outLink: string) {
  const store = yield* Store;
  for (const { link, path } of resultLinks(built, outLink)) yield* store.addRoot(link, path);
});

const printResults = Effect.fnUntraced(function* (built: readonly Built[], { json }: { readonly json: boolean }) {
  const store = yield* Store;
  yield* printText(resultText(built, json, store.physical));
});
