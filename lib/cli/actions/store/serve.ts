import * as Effect from "effect/Effect";
import { resolve } from "node:path";
import { serveCache } from "#lib/store/cache/server.ts";
import { host } from "../../evaluation.ts";
import { printLine } from "../../print.ts";

/** What to serve. */
interface ServeInput {
  readonly directory: string;
  readonly port: number;
  readonly writable: boolean;
}

/** Serves a cache until interrupted. */
export const serve = ({ directory, port, writable }: ServeInput) =>
  Effect.gen(function* () {
    yield* printLine(yield* serveCache({ directory: resolve(directory), port, writable }));
    return yield* Effect.never;
  }).pipe(Effect.scoped, Effect.provide(host));
