import * as Effect from "effect/Effect";
import { buildStored } from "#lib/build/rebuild.ts";
import type { DerivationPath } from "#lib/derivations/store-path.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { openCache } from "#lib/store/cache/cache-files.ts";
import { pullPaths } from "#lib/store/cache/pull.ts";
import type { PathInfo } from "#lib/store/path-info.ts";
import { Store } from "#lib/store/store.ts";
import { describeProblem, isLeftover } from "#lib/store/verification.ts";
import { type EngineServices, withEngine } from "../../engine.ts";
import { StoreDamaged } from "../../errors.ts";
import type { SubstitutionFlags } from "../../flags.ts";
import { count } from "../../printers/format.ts";
import { printJson, printLine } from "../../print.ts";
import type { ProgressFlags } from "../../progress.ts";
import { substituters, trustedKeys } from "../substitution.ts";

/** What to do about problems. */
interface VerifyInput extends SubstitutionFlags, ProgressFlags {
  readonly repair: boolean;
  readonly json: boolean;
}

/** Why what nobody built and no cache has cannot be made again. */
const fromFlake = "it comes from the files of a flake, whose next build copies it again";

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Compares the store with what was registered, and mends it if asked to. */
export const verify = (flake: LocatedFlake, input: VerifyInput) =>
  withEngine(
    flake,
    { ...input, locked: true },
    Effect.gen(function* () {
      const store = yield* Store;
      const services = yield* Effect.context<EngineServices>();
      const trusted = yield* trustedKeys(input);
      const builds = new Map<DerivationPath, Effect.Effect<unknown, unknown, EngineServices>>();
      /** A derivation may have several outputs and fail after hours: each is built once. */
      const buildOnce = Effect.fnUntraced(function* (deriver: DerivationPath) {
        const build = builds.get(deriver) ?? (yield* Effect.cached(buildStored(deriver)));
        builds.set(deriver, build);
        return yield* build;
      });
      const remake = ({ path, deriver }: PathInfo) => {
        const pulls = substituters(input).map((url) =>
          Effect.flatMap(openCache(url), (cache) => pullPaths(cache, [path], { trusted })),
        );
        const ways = deriver === undefined ? pulls : [...pulls, buildOnce(deriver)];
        // A source, for example, comes from nowhere but the flake: the next build copies it again.
        if (ways.length === 0) return Effect.fail(fromFlake);
        return Effect.provideContext(Effect.firstSuccessOf(ways), services);
      };
      const verification = yield* store.verify({ repair: input.repair, remake });
      const { problems, checked, repaired, invalidated } = verification;
      const failures = verification.failures.map(({ paths, cause }) => ({ paths, reason: messageOf(cause) }));
      const wrong = problems.filter((problem) => !isLeftover(problem));
      if (input.json) {
        const described = problems.map((problem) => ({ ...problem, description: describeProblem(problem) }));
        yield* printJson({ checked, problems: described, repaired, invalidated, failures });
      } else {
        for (const problem of problems) yield* printLine(describeProblem(problem));
        for (const path of repaired) yield* printLine(`repaired: ${path}`);
        for (const { paths, reason } of failures) {
          yield* printLine(`cannot be made again: ${paths.join(", ")}`);
          for (const line of reason.split("\n")) yield* printLine(`  ${line}`);
        }
        for (const path of invalidated) yield* printLine(`no longer valid, to be made by the next build: ${path}`);
        const leftovers =
          problems.length > wrong.length ? `, ${count(problems.length - wrong.length, "leftover")}` : "";
        yield* printLine(`${count(checked, "path")} checked, ${count(wrong.length, "problem")}${leftovers}`);
      }
      if (wrong.length > 0 && !input.repair) return yield* new StoreDamaged({ problems: wrong.length });
    }),
  );
