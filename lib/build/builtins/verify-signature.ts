import * as Effect from "effect/Effect";
import { FetchFileError } from "#lib/fetchers/errors.ts";
import { verifySignature } from "#lib/fetchers/signatures.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { BuiltinFailure } from "#lib/build/builtin.ts";
import type { BuiltinBuilder, BuiltinContext } from "#lib/build/builtin.ts";
import { fetchFailure } from "./failures.ts";
import { words } from "./variables.ts";

/**
 * Lets a file pass only if it is signed. Variables:
 *
 * - `src`: the signed file;
 * - `signature`: its detached OpenPGP signature; absent if `src` is a clear-signed text;
 * - `keys`: files with the public keys that may sign.
 *
 * `out` is the file, or the text that was signed without its armor.
 */
export const verifiedSource: Effect.Effect<BuiltinBuilder, never, FileSystem> = Effect.gen(function* () {
  const services = yield* Effect.context<FileSystem>();
  return {
    name: "builtin:verify-signature",
    build: (context) => verify(context).pipe(Effect.provide(services)),
  } satisfies BuiltinBuilder;
});

const verify = Effect.fnUntraced(function* ({ env, outputs, physical, log }: BuiltinContext) {
  const fs = yield* FileSystem;
  const { out } = outputs;
  const { src = "", signature = "" } = env;
  if (out === undefined || src === "") {
    return yield* new BuiltinFailure({ kind: "build", reason: "checking a signature needs 'src' and an output 'out'" });
  }
  const file = physical(src);
  const { signers, text } = yield* verifySignature({
    file,
    ...(signature === "" ? {} : { signature: physical(signature) }),
    keys: words(env, "keys").map(physical),
  }).pipe(Effect.mapError(fetchFailure));
  yield* Effect.tryPromise({
    try: () =>
      text === undefined ? fs.promises.copyFile(file, out) : fs.promises.writeFile(out, text, { flag: "wx" }),
    catch: (cause) => new FetchFileError({ path: out, cause }),
  }).pipe(Effect.mapError(fetchFailure));
  for (const { fingerprint, userIds } of signers) log(`signed by ${fingerprint} ${userIds.join(", ")}`);
});
