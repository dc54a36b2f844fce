import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as openpgp from "openpgp";
import t from "tap";
import { verifySignature } from "#lib/fetchers/signatures.ts";
import type { SignatureRequest } from "#lib/fetchers/signatures.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { hosts } from "../archives/support.ts";
import type { Host } from "../archives/support.ts";

const generate = async (name: string, options: { date?: Date; keyExpirationTime?: number } = {}) => {
  const { privateKey } = await openpgp.generateKey({ userIDs: [{ name }], format: "object", ...options });
  return { privateKey, armored: privateKey.toPublic().armor(), binary: Buffer.from(privateKey.toPublic().write()) };
};

const bytes = Buffer.from("release 1\n".repeat(50_000));

async function detached(key: openpgp.PrivateKey, date?: Date): Promise<string> {
  const message = await openpgp.createMessage({ binary: new Uint8Array(bytes) });
  return (await openpgp.sign({
    message,
    signingKeys: key,
    detached: true,
    ...(date === undefined ? {} : { date }),
  })) as string;
}

async function check(host: Host, request: SignatureRequest) {
  const effect = verifySignature(request).pipe(
    Effect.map((verified) => ({ verified, error: undefined })),
    Effect.catch((error) => Effect.succeed({ verified: undefined, error })),
    Effect.provide(Layer.succeed(FileSystem, host.fs)),
  );
  return Effect.runPromise(effect);
}

t.test("signatures", async (t) => {
  const [alice, mallory, expired] = [
    await generate("Alice"),
    await generate("Mallory"),
    await generate("Expired", { date: new Date("2020-01-01"), keyExpirationTime: 86400 * 30 }),
  ];
  for (const [where, makeHost] of hosts) {
    t.test(where, async (t) => {
      const host = makeHost(t);
      const put = async (name: string, content: string | Buffer): Promise<string> => {
        await host.fs.promises.writeFile(`${host.directory}/${name}`, content);
        return `${host.directory}/${name}`;
      };
      const file = await put("file", bytes);
      const keys = [await put("alice.asc", alice.armored)];
      const signature = await put("file.asc", await detached(alice.privateKey));

      const { verified } = await check(host, { file, signature, keys });
      t.match(verified?.signers, [
        { fingerprint: alice.privateKey.getFingerprint().toUpperCase(), userIds: ["Alice"] },
      ]);
      t.equal(verified?.text, undefined);
      const binaryKeys = [await put("alice.gpg", alice.binary), await put("mallory.gpg", mallory.binary)];
      const raw = (await openpgp.readSignature({ armoredSignature: await detached(alice.privateKey) })).write();
      const binary = await check(host, { file, signature: await put("file.sig", Buffer.from(raw)), keys: binaryKeys });
      t.match(binary.verified?.signers, [{ userIds: ["Alice"] }], "binary keys and signatures");

      const changed = await put("changed", Buffer.concat([bytes, Buffer.from("!")]));
      t.match((await check(host, { file: changed, signature, keys })).error, {
        _tag: "SignatureInvalid",
        file: changed,
      });
      const foreign = await put("foreign.asc", await detached(mallory.privateKey));
      t.match(
        (await check(host, { file, signature: foreign, keys })).error?.message,
        /Could not find signing key.*add it to the keys/,
      );
      t.match((await check(host, { file, signature: file, keys })).error?.message, /not a signature/);
      t.match((await check(host, { file, signature, keys: [] })).error?.message, /no keys are given/);
      t.match((await check(host, { file, signature, keys: [file] })).error?.message, /no usable keys/);
      t.match((await check(host, { file, signature: "/nowhere", keys })).error, { _tag: "FetchFileError" });

      const then = await put("then.asc", await detached(expired.privateKey, new Date("2020-01-15")));
      const expiredKeys = [await put("expired.asc", expired.armored)];
      t.ok(
        (await check(host, { file, signature: then, keys: expiredKeys })).verified,
        "a key that has expired since is judged at the time of signing",
      );

      const cleartext = await openpgp.createCleartextMessage({ text: "Origin: test\n- dashed\n" });
      const clear = await openpgp.sign({ message: cleartext, signingKeys: alice.privateKey });
      const signed = await check(host, { file: await put("InRelease", clear), keys });
      t.equal(signed.verified?.text, "Origin: test\n- dashed\n");
      const forgeries: readonly (readonly [name: string, text: string, reason: RegExp])[] = [
        ["changed", clear.replace("test", "evil"), /no valid signature/],
        ["text before", `Origin: evil\n${clear}`, /nothing else/],
        ["text after", `${clear}Origin: evil\n`, /nothing else/],
        ["two of them", clear + clear, /nothing else/],
        ["unsigned", "Origin: evil\n", /nothing else/],
      ];
      for (const [name, text, reason] of forgeries) {
        t.match((await check(host, { file: await put("forged", text), keys })).error?.message, reason, name);
      }
    });
  }
});
