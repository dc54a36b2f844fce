import * as Effect from "effect/Effect";
import { writeFile } from "node:fs/promises";
import { storeError } from "#lib/store/errors.ts";
import { generateKeyPair, type KeySyntaxError } from "#lib/store/signature.ts";
import { printLine } from "../../print.ts";

/** Whose key, and where it goes. */
interface GenerateKeyInput {
  readonly name: string;
  readonly secretKeyFile: string | undefined;
}

/** Makes a pair of keys. A key that exists is never overwritten: it could not be had again. */
export const generateKey = Effect.fnUntraced(function* ({ name, secretKeyFile }: GenerateKeyInput) {
  const pair = yield* Effect.try({ try: () => generateKeyPair(name), catch: (cause) => cause as KeySyntaxError }); // The only thing that it throws.
  const file = secretKeyFile ?? `${name}.secret`;
  yield* Effect.tryPromise({
    try: () => writeFile(file, `${pair.secret}\n`, { mode: 0o600, flag: "wx" }),
    catch: (cause) => storeError("write the secret key", file, cause),
  });
  yield* printLine(pair.public);
});
