import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as openpgp from "openpgp";
import t from "tap";
import { gzipSync } from "node:zlib";
import type { StoreDerivation } from "#lib/derivations/store-derivation.ts";
import { Builtins } from "#lib/build/builtin.ts";
import type { BuiltinFailure } from "#lib/build/builtin.ts";
import { standardBuiltins } from "#lib/build/builtins/standard.ts";
import { Mirrors } from "#lib/fetchers/mirrors.ts";
import { Network } from "#lib/fetchers/network.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { debOf, hosts, readTar, tarOf } from "../archives/support.ts";
import type { Host } from "../archives/support.ts";
import { serve, sha256 } from "../fetchers/server.ts";

const store = "/nix/store/00000000000000000000000000000000";

let runs = 0;

/** Runs a builtin builder as the scheduler does: outputs by physical path, store paths below the host's directory. */
async function build(
  host: Host,
  builder: string,
  env: Readonly<Record<string, string>>,
  {
    outputs = ["out"],
    mirrors = [],
    fixed,
  }: { outputs?: string[]; mirrors?: string[]; fixed?: StoreDerivation["outputs"] } = {},
) {
  const work = `${host.directory}/build-${runs++}`;
  await host.fs.promises.mkdir(`${work}/scratch`, { recursive: true });
  const paths = Object.fromEntries(outputs.map((name) => [name, `${work}/${name}`]));
  const lines: string[] = [];
  const derivation: StoreDerivation = {
    name: "thing",
    outputs: fixed ?? new Map(outputs.map((name) => [name, { kind: "floating" }])),
    inputDerivations: new Map(),
    inputSources: [],
    system: "builtin",
    builder,
    args: [],
    env: new Map(Object.entries(env)),
  };
  const services = Layer.mergeAll(
    Layer.succeed(FileSystem, host.fs),
    Processes.layer,
    Events.silent,
    Network.layer({ rounds: 1 }),
    Mirrors.layer({ archives: mirrors, security: [] }),
  );
  const run = Effect.gen(function* () {
    const found = (yield* Builtins).get(builder);
    if (found === undefined) return yield* Effect.die(new Error(`no builder ${builder}`));
    const physical = (path: string): string => host.directory + path;
    yield* found.build({
      derivation,
      env,
      physical,
      outputs: paths,
      scratch: `${work}/scratch`,
      log: (line) => lines.push(line),
    });
    return undefined;
  }).pipe(Effect.catch((failure: BuiltinFailure) => Effect.succeed(failure)));
  const builtins = Layer.provide(standardBuiltins({ partial: `${host.directory}/partial` }), services);
  return { failure: await Effect.runPromise(Effect.provide(run, builtins)), paths, lines };
}

async function put(host: Host, name: string, bytes: Buffer | string): Promise<string> {
  const path = `${store}-${name}`;
  await host.fs.promises.mkdir(`${host.directory}/nix/store`, { recursive: true });
  await host.fs.promises.writeFile(host.directory + path, bytes);
  return path;
}

for (const [where, makeHost] of hosts) {
  t.test(`builtin builders ${where}`, async (t) => {
    t.test("merge-archives", async (t) => {
      const host = makeHost(t);
      const deb = await put(host, "hello.deb", debOf([{ path: "usr/bin/hello", mode: 0o755, content: "hello" }]));
      const script = await put(host, "script", "#!/bin/sh\n");
      const entries = await put(
        host,
        "entries.json",
        JSON.stringify([{ path: "/opt/run", type: "file", mode: "0755", source: script }]),
      );
      const layers = JSON.stringify([
        { name: "hello", kind: "deb", path: deb },
        { name: "stage", kind: "entries", path: entries },
      ]);
      const file = await put(host, "layers.json", layers);
      const results = [];
      for (const text of [layers, file]) {
        const { failure, paths, lines } = await build(
          host,
          "builtin:merge-archives",
          { layers: text, mtime: "5" },
          { outputs: ["out", "manifest"] },
        );
        t.equal(failure, undefined);
        t.match(lines, [/merged 2 layers: 6 entries, 15 bytes in 2 files/]);
        const bytes = Buffer.from(await host.fs.promises.readFile(paths["out"]!));
        results.push(bytes);
        const found = await readTar(bytes);
        t.strictSame(
          found.map(({ entry }) => entry.path),
          ["", "opt", "opt/run", "usr", "usr/bin", "usr/bin/hello"],
        );
        t.equal(found[0]?.entry.mtime, 5);
        t.match(await host.fs.promises.readFile(paths["manifest"]!, "utf8"), /"path":"\/opt\/run".*"layer":"stage"/);
      }
      t.ok(results[0]!.equals(results[1]!), "layers may be said directly or in a file");

      const wrong: readonly (readonly [env: Record<string, string>, reason: RegExp])[] = [
        [{ layers: "[" }, /layers.*not JSON/],
        [{}, /layers.*not JSON/],
        [{ layers: "[]", mtime: "soon" }, /'soon' is not a whole number/],
        [{ layers: JSON.stringify([{ name: "a", kind: "deb", path: script }]) }, /not a valid ar file/],
        [{ layers: JSON.stringify([{ name: "a", kind: "deb", path: deb, excluded: [] }]) }, /unknown key 'excluded'/],
      ];
      for (const [env, reason] of wrong) {
        const { failure } = await build(host, "builtin:merge-archives", env);
        t.match(failure, { _tag: "BuiltinFailure", kind: "build" }, String(reason));
        t.match(failure?.message, reason);
      }
    });

    t.test("unpack-debian", async (t) => {
      const host = makeHost(t);
      const one = await put(
        host,
        "one.deb",
        debOf([{ path: "usr/bin/tool", mode: 0o4755, content: "x" }, { path: "usr/share/doc/one/README" }]),
      );
      const two = await put(host, "two.deb", debOf([{ path: "etc/hosts", content: "own" }]));
      const { failure, paths, lines } = await build(host, "builtin:unpack-debian", {
        packages: `${one} ${two}`,
        links: '{"/usr/bin/awk":"tool"}',
      });
      t.equal(failure, undefined);
      t.match(lines, ["unpacked 2 packages"]);
      const { promises } = host.fs;
      const out = paths["out"]!;
      t.equal(await promises.readlink(`${out}/bin`, "utf8"), "usr/bin");
      t.equal(await promises.readFile(`${out}/bin/awk`, "utf8"), "x");
      t.equal((await promises.stat(`${out}/usr/bin/tool`)).mode & 0o7777, 0o755, "nothing is setuid");
      t.match(await promises.readFile(`${out}/etc/passwd`, "utf8"), /^root:x:0:0:/);
      t.equal(await promises.readFile(`${out}/etc/hosts`, "utf8"), "own", "what a package ships stays");
      await t.rejects(promises.stat(`${out}/usr/share/doc`), "documentation is left out");
      const all = await build(host, "builtin:unpack-debian", { packages: one, exclude: "" });
      await t.resolves(promises.stat(`${all.paths["out"]}/usr/share/doc/one/README`), "unless told otherwise");

      const twice = await put(host, "twice.deb", debOf([{ path: "usr/bin/tool", content: "another" }]));
      t.match((await build(host, "builtin:unpack-debian", { packages: `${one} ${twice}` })).failure, {
        kind: "build",
        message: /\/usr\/bin\/tool is written by both '(one|twice)\.deb' and '(one|twice)\.deb'/,
      });
      t.match(
        (await build(host, "builtin:unpack-debian", { packages: one, links: '["x"]' })).failure?.message,
        /link targets by path/,
      );
    });

    t.test("unpack-archive", async (t) => {
      const host = makeHost(t);
      const src = await put(
        host,
        "package.tgz",
        gzipSync(tarOf([{ path: "package/index.js", content: "code" }, { path: "package/test/x" }])),
      );
      const { failure, paths } = await build(host, "builtin:unpack-archive", { src, exclude: "test" });
      t.equal(failure, undefined);
      t.strictSame(await host.fs.promises.readdir(paths["out"]!), ["index.js"]);
      const whole = await build(host, "builtin:unpack-archive", { src, strip: "0" });
      t.strictSame(await host.fs.promises.readdir(whole.paths["out"]!), ["package"]);
      t.match((await build(host, "builtin:unpack-archive", {})).failure, { kind: "build", reason: /src.*missing/ });
      t.match((await build(host, "builtin:unpack-archive", { src, strip: "-1" })).failure, {
        kind: "build",
        reason: /whole number/,
      });
    });

    t.test("verify-signature", async (t) => {
      const host = makeHost(t);
      const { privateKey } = await openpgp.generateKey({ userIDs: [{ name: "Publisher" }], format: "object" });
      const keys = await put(host, "keys", privateKey.toPublic().armor());
      const bytes = Buffer.from("release");
      const message = await openpgp.createMessage({ binary: new Uint8Array(bytes) });
      const signature = await put(
        host,
        "sig",
        (await openpgp.sign({ message, signingKeys: privateKey, detached: true })) as string,
      );
      const src = await put(host, "release", bytes);
      const good = await build(host, "builtin:verify-signature", { src, signature, keys });
      t.equal(good.failure, undefined);
      t.match(good.lines, [/^signed by [0-9A-F]{40} Publisher$/]);
      t.equal(await host.fs.promises.readFile(good.paths["out"]!, "utf8"), "release");
      const text = await openpgp.createCleartextMessage({ text: "Suite: stable" });
      const inRelease = await put(host, "InRelease", await openpgp.sign({ message: text, signingKeys: privateKey }));
      const clear = await build(host, "builtin:verify-signature", { src: inRelease, keys });
      t.equal(
        await host.fs.promises.readFile(clear.paths["out"]!, "utf8"),
        "Suite: stable",
        "only the signed text comes out",
      );
      const forged = await build(host, "builtin:verify-signature", { src: keys, signature, keys });
      t.match(forged.failure, { kind: "fetch", cause: { _tag: "SignatureInvalid" } });
      await t.rejects(host.fs.promises.stat(forged.paths["out"]!), "no output");
      t.match((await build(host, "builtin:verify-signature", { keys })).failure, { kind: "build", reason: /'src'/ });
    });

    t.test("fetch-url", async (t) => {
      const host = makeHost(t);
      const bytes = Buffer.from("the file");
      const pinned = (hash = sha256(bytes), mode: "flat" | "recursive" = "flat"): StoreDerivation["outputs"] =>
        new Map([["out", { kind: "fixed", mode, hash, path: `${store}-thing` as never }]]);
      const server = await serve(t, { "/pool/main/x.deb": bytes });
      const fetched = await build(
        host,
        "builtin:fetch-url",
        { path: "pool/main/x.deb", size: "8" },
        { mirrors: ["http://127.0.0.1:1", server.url], fixed: pinned() },
      );
      t.equal(fetched.failure, undefined);
      t.ok(Buffer.from(await host.fs.promises.readFile(fetched.paths["out"]!)).equals(bytes));
      t.match(fetched.lines, ["fetched pool/main/x.deb"]);
      const direct = await build(
        host,
        "builtin:fetch-url",
        { urls: `http://127.0.0.1:1/x ${server.url}/pool/main/x.deb` },
        { fixed: pinned() },
      );
      t.equal(direct.failure, undefined);

      const registry = await serve(t, { "/@scope/x/-/x-1.0.0.tgz": bytes });
      const before = process.env["npm_config_registry"];
      process.env["npm_config_registry"] = registry.url;
      t.teardown(() => {
        if (before === undefined) delete process.env["npm_config_registry"];
        else process.env["npm_config_registry"] = before;
      });
      const npm = await build(host, "builtin:fetch-url", { npm: "@scope/x@1.0.0" }, { fixed: pinned() });
      t.equal(npm.failure, undefined);
      t.strictSame(registry.requests, ["GET /@scope/x/-/x-1.0.0.tgz"]);
      t.match(
        (await build(host, "builtin:fetch-url", { npm: "../x@1" }, { fixed: pinned() })).failure?.message,
        /form name@version/,
      );

      const gone = await build(
        host,
        "builtin:fetch-url",
        { path: "pool/main/y.deb" },
        { mirrors: [server.url], fixed: pinned() },
      );
      t.match(gone.failure, { kind: "fetch", cause: { _tag: "FileGone", path: "pool/main/y.deb" } });
      const other = await build(
        host,
        "builtin:fetch-url",
        { path: "pool/main/x.deb" },
        { mirrors: [server.url], fixed: pinned(sha256(Buffer.from("other"))) },
      );
      t.match(other.failure, { kind: "fetch", cause: { _tag: "HashMismatch" } });
      t.match((await build(host, "builtin:fetch-url", { path: "pool/x" }, { fixed: pinned() })).failure, {
        cause: { _tag: "NoMirror" },
      });
      t.match((await build(host, "builtin:fetch-url", { path: "pool/x" })).failure, {
        kind: "build",
        reason: /no fixed-output/,
      });
      t.match(
        (await build(host, "builtin:fetch-url", { path: "x" }, { fixed: pinned(sha256(bytes), "recursive") })).failure,
        { kind: "build" },
      );
      t.match(
        (await build(host, "builtin:fetch-url", {}, { fixed: pinned() })).failure?.message,
        /neither 'path' nor 'npm' nor 'urls'/,
      );
    });
  });
}
