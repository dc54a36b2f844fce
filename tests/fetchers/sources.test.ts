/** Sources: revisions of git, packages of npm, and the signatures of what is published. */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as openpgp from "openpgp";
import t from "tap";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { parseTree } from "#lib/fetchers/git-tree.ts";
import { fetchGit, type GitRequest } from "#lib/fetchers/git.ts";
import { Network } from "#lib/fetchers/network.ts";
import { npmRegistry } from "#lib/fetchers/npm-registry.ts";
import { isNpmName, npmTarballUrl, parseNpmLock } from "#lib/fetchers/npm.ts";
import { type SignatureRequest, verifySignature } from "#lib/fetchers/signatures.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { type Host, hosts } from "../archives/support.ts";

const skip = spawnSync("git", ["--version"]).status === 0 ? false : "no git on the PATH";
const services = Layer.mergeAll(FileSystem.layer, Processes.layer, Network.layer(), Events.silent);
const env = {
  PATH: process.env["PATH"],
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.org",
};

t.test("git repositories", { skip }, async (t) => {
  const directory = mkdtempSync(`${tmpdir()}/helios-git-`);
  t.teardown(() => rmSync(directory, { recursive: true }));
  const repository = `${directory}/repository`;
  mkdirSync(`${repository}/sub/deep`, { recursive: true });
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: repository, env, encoding: "utf8" }).trim();
  const commit = (message: string): string => {
    git("add", "--all");
    git("commit", "--quiet", "--message", message);
    return git("rev-parse", "HEAD");
  };
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(`${repository}/.gitattributes`, "*.txt text eol=crlf\nleft-out export-ignore\nversion export-subst\n");
  writeFileSync(`${repository}/lines.txt`, "one\ntwo\n");
  writeFileSync(`${repository}/left-out`, "still here");
  writeFileSync(`${repository}/version`, "$Format:%H$");
  writeFileSync(`${repository}/sub/deep/large`, "L".repeat(700_000));
  writeFileSync(`${repository}/empty`, "");
  writeFileSync(`${repository}/run`, "#!/bin/sh\n");
  chmodSync(`${repository}/run`, 0o755);
  symlinkSync("sub/deep", `${repository}/link`);
  const first = commit("first");
  writeFileSync(`${repository}/second`, "2");
  const second = commit("second");

  let runs = 0;
  const fetch = async (more: Partial<GitRequest>, on: FileSystemShape = fs) => {
    const scratch = `${directory}/scratch-${runs}`;
    mkdirSync(scratch);
    const destination = `${directory}/out-${runs++}`;
    const request = { name: "source", url: repository, revision: first, destination, scratch, ...more };
    const effect = fetchGit(request).pipe(
      Effect.as(undefined),
      Effect.catch(Effect.succeed),
      Effect.provideService(FileSystem, on),
      Effect.provide(services),
    );
    return { error: await Effect.runPromise(effect), destination };
  };

  t.test("a revision is exported exactly as it is stored", async (t) => {
    for (const url of [repository, `file://${repository}`]) {
      const { error, destination } = await fetch({ url });
      t.equal(error, undefined);
      t.strictSame(readdirSync(destination).sort(), [
        ".gitattributes",
        "empty",
        "left-out",
        "lines.txt",
        "link",
        "run",
        "sub",
        "version",
      ]);
      t.equal(readFileSync(`${destination}/lines.txt`, "utf8"), "one\ntwo\n", "no line ends are changed");
      t.equal(readFileSync(`${destination}/version`, "utf8"), "$Format:%H$", "nothing is substituted");
      t.equal(statSync(`${destination}/sub/deep/large`).size, 700_000);
      t.equal(readlinkSync(`${destination}/link`), "sub/deep");
      t.ok(statSync(`${destination}/run`).mode & 0o100);
      t.notOk(statSync(`${destination}/version`).mode & 0o100);
    }
    t.equal(readFileSync(`${(await fetch({ revision: second })).destination}/second`, "utf8"), "2");
  });

  t.test("submodules are empty directories, however slowly those are made", async (t) => {
    git("rm", "--quiet", "sub/deep/large"); // So that all fits into a pipe, and git need not wait for a reader.
    git("update-index", "--add", "--cacheinfo", `160000,${first},modules/one`);
    git("commit", "--quiet", "--message", "submodule");
    const { promises } = fs;
    const slow = {
      ...fs,
      promises: {
        ...promises,
        mkdir: async (...args: Parameters<typeof promises.mkdir>) => {
          await new Promise((resume) => setTimeout(resume, 200)); // Long enough for git to have answered and ended.
          return promises.mkdir(...args);
        },
      },
    };
    const { error, destination } = await fetch({ revision: git("rev-parse", "HEAD") }, slow as FileSystemShape);
    t.equal(error, undefined);
    t.strictSame(readdirSync(`${destination}/modules/one`), []);
    t.equal(readFileSync(`${destination}/run`, "utf8"), "#!/bin/sh\n");
    git("reset", "--quiet", "--hard", second);
  });

  t.test("what is not there is named", async (t) => {
    const missing = "0123456789".repeat(4);
    t.match((await fetch({ revision: missing })).error, { _tag: "RevisionMissing", revision: missing });
    t.match((await fetch({ revision: "main" })).error?.message, /'main'.*not the full hash/);
    t.match((await fetch({ url: `${directory}/nowhere` })).error, { _tag: "GitFailed", command: "git fetch" });
    const home = process.env["HOME"];
    t.teardown(() => {
      process.env["HOME"] = home;
    });
    process.env["HOME"] = directory;
    writeFileSync(`${directory}/.gitconfig`, '[protocol "ext"]\n\tallow = always\n');
    for (const url of [`ext::touch ${directory}/evil`, `--upload-pack=touch ${directory}/evil;`]) {
      t.match((await fetch({ url })).error, { _tag: "GitFailed" }, url);
      t.notOk(readdirSync(directory).includes("evil"), "a URL runs no program");
    }
    t.match((await fetch({ byteLimit: 1000 })).error, { _tag: "ArchiveTooLarge" });
  });

  t.test("links that leave the tree are refused", async (t) => {
    symlinkSync("/etc/passwd", `${repository}/absolute`);
    const absolute = commit("absolute");
    t.match((await fetch({ revision: absolute })).error, { _tag: "UnsafeEntry", entry: "absolute" });
    t.equal((await fetch({ revision: absolute, links: "root" })).error, undefined, "unless they mean another root");
    symlinkSync("../../x", `${repository}/sub/out`);
    t.match((await fetch({ revision: commit("out"), links: "root" })).error, { _tag: "UnsafeEntry", entry: "sub/out" });
  });
});

t.test("hostile trees are refused", async (t) => {
  const line = (mode: string, name: string, type = "blob"): string =>
    `${mode} ${type} ${"a".repeat(40)}       5\t${name}\0`;
  const refusal = (listing: string): unknown => {
    try {
      return parseTree("repository", listing);
    } catch (error) {
      return error;
    }
  };
  const cases: readonly (readonly [listing: string, error: object])[] = [
    [line("100644", "../x"), { _tag: "UnsafeEntry" }],
    [line("100644", "/x"), { _tag: "UnsafeEntry" }],
    [line("100644", "a/.GIT/config"), { _tag: "UnsafeEntry", reason: /\.git/ }],
    [line("120000", "d") + line("100644", "d/x"), { _tag: "UnsafeEntry" }],
    [line("100644", "x") + line("100644", "x"), { _tag: "UnsafeEntry" }],
    [line("100600", "x"), { _tag: "UnsupportedArchive" }],
    ["nonsense\0", { _tag: "UnsupportedArchive" }],
  ];
  for (const [listing, error] of cases) t.match(refusal(listing), error);
  t.match(parseTree("r", `160000 commit ${"b".repeat(40)}       -\tmodule\0`), [
    { path: "module", type: "directory", size: 0 },
  ]);
});

const outcome = <A, E>(effect: Effect.Effect<A, E, Processes>): Promise<A | E> =>
  Effect.runPromise(effect.pipe(Effect.catch(Effect.succeed), Effect.provide(Processes.layer)));

const integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;

t.test("npm packages", async (t) => {
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
      t.match((await check(host, { file, signature: file, keys })).error?.message, /not a signature: .*[^.]\. If the/);
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
