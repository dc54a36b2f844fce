import * as Effect from "effect/Effect";
import { Readable } from "node:stream";
import type { CleartextMessage, Key, Message, Signature } from "openpgp";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { reasonOf } from "#lib/platform/reason.ts";
import { FetchFileError, SignatureInvalid } from "./errors.ts";

/** Who signed. */
export interface Signer {
  /** Of the primary key, 40 or 64 hexadecimal digits in upper case. */
  readonly fingerprint: string;
  readonly userIds: readonly string[];
  readonly signed: Date;
}

export interface SignatureRequest {
  /** The signed file, for a detached signature; or the clear-signed text itself. */
  readonly file: string;
  /** A detached signature, armored or binary. */
  readonly signature?: string;
  /** Files with the keys of those who may sign, armored or binary. */
  readonly keys: readonly string[];
}

/** A valid signature; `text` is what a clear-signed file says, and nothing else of it counts. */
export interface Verified {
  readonly signers: readonly Signer[];
  readonly text?: string;
}

/** Clear-signed files hold short lists; a larger one is not read into memory. */
const clearTextLimit = 64 << 20;

/**
 * Checks an OpenPGP signature against keys from the tree. One good signature
 * by one of the keys suffices, as archives sign with an old and a new key at
 * once. Whether a key was valid is judged at the time of signing, never by
 * today's clock: what was verified once stays verified.
 */
export const verifySignature = (
  request: SignatureRequest,
): Effect.Effect<Verified, SignatureInvalid | FetchFileError, FileSystem> =>
  Effect.flatMap(FileSystem, (fs) =>
    Effect.tryPromise({ try: () => verify(fs, request), catch: (cause) => cause }).pipe(
      Effect.catch((cause): Effect.Effect<never, SignatureInvalid | FetchFileError> => {
        if (cause instanceof SignatureInvalid) return Effect.fail(cause);
        if (errorCode(cause) !== undefined) return Effect.fail(new FetchFileError({ path: request.file, cause }));
        return Effect.die(cause);
      }),
    ),
  );

async function verify(fs: FileSystemShape, { file, signature, keys }: SignatureRequest): Promise<Verified> {
  // A large module that only fetching with signatures needs.
  const openpgp = await import("openpgp");
  const invalid = (path: string, reason: string): SignatureInvalid => new SignatureInvalid({ file: path, reason });
  const parse = async <A>(path: string, what: string, read: () => Promise<A>): Promise<A> => {
    try {
      return await read();
    } catch (cause) {
      throw invalid(path, `${what}: ${reasonOf(cause)}`);
    }
  };
  const verificationKeys: Key[] = [];
  for (const path of keys) {
    const bytes = Buffer.from(await fs.promises.readFile(path));
    const read = isArmored(bytes)
      ? () => openpgp.readKeys({ armoredKeys: bytes.toString("latin1") })
      : () => openpgp.readKeys({ binaryKeys: bytes });
    verificationKeys.push(...(await parse(path, "it holds no usable keys", read)));
  }
  if (verificationKeys.length === 0) throw invalid(file, "no keys are given that may sign it");

  if (signature === undefined) {
    const text = await readClearSigned(fs, file, invalid);
    const message = await parse(file, "it is not a clear-signed text", () =>
      openpgp.readCleartextMessage({ cleartextMessage: text }),
    );
    const results = await message.verify(verificationKeys, signingTime(clearSignature(message)));
    return {
      signers: await goodOnes(results, verificationKeys, (reason) => invalid(file, reason)),
      text: message.getText(),
    };
  }
  const bytes = Buffer.from(await fs.promises.readFile(signature));
  const detached = await parse(signature, "it is not a signature", () =>
    isArmored(bytes)
      ? openpgp.readSignature({ armoredSignature: bytes.toString("latin1") })
      : openpgp.readSignature({ binarySignature: bytes }),
  );
  const stream = Readable.toWeb(Readable.from(fs.createReadStream(file))) as ReadableStream<Uint8Array>;
  const message: Message<ReadableStream<Uint8Array>> = await openpgp.createMessage({ binary: stream });
  const result = await openpgp.verify({
    message,
    signature: detached,
    verificationKeys,
    format: "binary",
    date: signingTime(detached),
  });
  // The hash is complete only once everything has passed. openpgp watches the stream through methods that it
  // has replaced, `getReader` among them, so `for await` will not do.
  const reader = (result.data as ReadableStream<Uint8Array>).getReader();
  while (!(await reader.read()).done);
  return { signers: await goodOnes(result.signatures, verificationKeys, (reason) => invalid(file, reason)) };
}

type Results = Awaited<ReturnType<CleartextMessage["verify"]>>;

async function goodOnes(
  results: Results,
  keys: readonly Key[],
  invalid: (reason: string) => SignatureInvalid,
): Promise<readonly Signer[]> {
  const signers: Signer[] = [];
  const reasons: string[] = [];
  for (const { keyID, verified, signature } of results) {
    try {
      await verified;
      const key = keys.find((key) => key.getKeys(keyID).length > 0);
      if (key === undefined) continue;
      const fingerprint = key.getFingerprint().toUpperCase();
      signers.push({ fingerprint, userIds: key.getUserIDs(), signed: signingTime(await signature) });
    } catch (cause) {
      reasons.push(`${keyID.toHex()}: ${reasonOf(cause)}`);
    }
  }
  if (signers.length > 0) return signers;
  throw invalid(reasons.length === 0 ? "it is not signed" : reasons.join("; "));
}

/** The latest time that the signatures claim; one in the future of that cannot be. */
function signingTime(signature: Signature): Date {
  const times = signature.packets.map((packet) => packet.created?.getTime() ?? 0);
  return new Date(Math.max(0, ...times));
}

/** The type hides a field that the constructor documents. */
function clearSignature(message: CleartextMessage): Signature {
  return (message as unknown as { readonly signature: Signature }).signature;
}

/**
 * Reads a clear-signed text that is nothing but that. Text before, after or
 * between signed parts is not covered by the signature and has been used to
 * deceive readers of such files.
 */
async function readClearSigned(
  fs: FileSystemShape,
  path: string,
  invalid: (path: string, reason: string) => SignatureInvalid,
): Promise<string> {
  const { size } = await fs.promises.stat(path);
  if (size > clearTextLimit) throw invalid(path, `it is too large for a clear-signed text (${size} bytes)`);
  const text = await fs.promises.readFile(path, "utf8");
  const alone = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n[^]*\n-----END PGP SIGNATURE-----\s*$/.test(text);
  if (!alone || text.match(/^-----(BEGIN|END) PGP/gm)?.length !== 3) {
    throw invalid(path, "it is not one clear-signed text and nothing else");
  }
  return text;
}

function isArmored(bytes: Buffer): boolean {
  return bytes.toString("latin1", 0, 64).trimStart().startsWith("-----BEGIN PGP");
}
