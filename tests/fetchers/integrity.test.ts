import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as openpgp from "openpgp";
import t from "tap";
import { isNpmName, npmTarballUrl, parseNpmLock } from "#lib/fetchers/npm.ts";
import { npmRegistry } from "#lib/fetchers/npm-registry.ts";
import { type SignatureRequest, verifySignature } from "#lib/fetchers/signatures.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { type Host, hosts } from "../archives/support.ts";

const outcome = <A, E>(effect: Effect.Effect<A, E, Processes>): Promise<A | E> =>
  Effect.runPromise(effect.pipe(Effect.catch(Effect.succeed), Effect.provide(Processes.layer)));

const integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;

t.test("a lock file's packages are listed by their place, with programs and platforms", async (t) => {
  const lock = {
    packages: {
      "": { name: "root", version: "1.0.0" },
      "node_modules/zod": { version: "1.0.0", integrity, bin: { zod: "bin/zod.js" }, os: ["linux"], cpu: ["!arm"] },
      "node_modules/@scope/a": {
        version: "2.0.0",
        integrity: `sha1-${Buffer.alloc(20).toString("base64")} ${integrity}`,
      },
      "node_modules/zod/node_modules/alias": { name: "zod", version: "1.0.0", integrity },
      "node_modules/local": { link: true, resolved: "packages/local" },
      "node_modules/bundled": { version: "1.0.0", inBundle: true },
      "packages/local": { version: "0.0.0" },
    },
  };
  const hash = { algorithm: "sha512", hex: "01".repeat(64) };
  const anywhere = { os: [], cpu: [], libc: [] };
  t.strictSame(parseNpmLock("package-lock.json", JSON.stringify(lock)), [
    { path: "node_modules/@scope/a", name: "@scope/a", version: "2.0.0", hash, programs: {}, platforms: anywhere },
    {
      path: "node_modules/zod",
      name: "zod",
      version: "1.0.0",
      hash,
      programs: { zod: "bin/zod.js" },
      platforms: { os: ["linux"], cpu: ["!arm"], libc: [] },
    },
    {
      path: "node_modules/zod/node_modules/alias",
      name: "zod",
      version: "1.0.0",
      hash,
      programs: {},
      platforms: anywhere,
    },
  ]);
  const cases: readonly (readonly [packages: unknown, reason: RegExp])[] = [
    [undefined, /no 'packages'/],
    [{ "node_modules/a": { version: "1" } }, /lock, 'node_modules\/a': it has no integrity/],
    [{ "node_modules/a": { integrity } }, /no version/],
    [{ "node_modules/a": { version: "1", integrity: "md4-x" } }, /not a hash/],
    [{ "node_modules/../../x": { version: "1", integrity } }, /name is not a package's/],
    [{ "../node_modules/a": { version: "1", integrity } }, /no place in a node_modules tree/],
    [{ "node_modules/a": { version: "1", integrity, bin: { a: "../../x" } } }, /not files of the package/],
    [
      {
        "node_modules/a": { version: "1", integrity },
        "node_modules/b/node_modules/a": {
          version: "1",
          integrity: `sha512-${Buffer.alloc(64, 2).toString("base64")}`,
        },
      },
      /different hashes/,
    ],
  ];
  for (const [packages, reason] of cases) {
    t.throws(() => parseNpmLock("lock", JSON.stringify({ packages })), { _tag: "InvalidNpmLock", message: reason });
  }
  t.throws(() => parseNpmLock("lock", "{"), { _tag: "InvalidNpmLock", message: /no JSON/ });
});

t.test("the registry is the host's", async (t) => {
  t.equal(
    await outcome(npmRegistry({ npm_config_registry: "http://registry.example/npm/" })),
    "http://registry.example/npm",
  );
  t.match(await outcome(npmRegistry({ npm_config_registry: "nonsense" })), {
    _tag: "RegistryUnknown",
    message: /npm_config_registry/,
  });
  t.match(await outcome(npmRegistry({ PATH: "/nowhere" })), { _tag: "RegistryUnknown" });
});

t.test("tarballs have their place in a registry", async (t) => {
  t.equal(npmTarballUrl("http://r", "zod", "1.0.0+x"), "http://r/zod/-/zod-1.0.0%2Bx.tgz");
  t.equal(npmTarballUrl("http://r", "@scope/name", "1.0.0"), "http://r/@scope/name/-/name-1.0.0.tgz");
  for (const name of ["zod", "@oven/bun-linux-x64", "a.b_c"]) t.ok(isNpmName(name), name);
  for (const name of ["", "..", "../x", "a/b", "@a", "@a/../b", "a b", "A", "x".repeat(215)])
    t.notOk(isNpmName(name), name);
});

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
