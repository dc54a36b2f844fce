/** Long, since every question to a cache is asked of directories and of servers, with the same helpers. */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as Result from "effect/Result";
import { execFile, execFileSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import t, { type Test } from "tap";
import { derivation } from "#lib/derivations/derivation.ts";
import { realisationKey } from "#lib/derivations/hash-modulo.ts";
import { instantiate } from "#lib/derivations/instantiate.ts";
import { parseHash, sha256 } from "#lib/derivations/hash.ts";
import { source } from "#lib/derivations/source.ts";
import { baseName, hashPart, parseStorePath, type StorePath } from "#lib/derivations/store-path.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { type CacheFiles, openCache } from "#lib/store/cache/cache-files.ts";
import type { CacheCompression } from "#lib/store/cache/compression.ts";
import type { CacheError } from "#lib/store/cache/errors.ts";
import { parseNarInfo, printNarInfo, signNarInfo } from "#lib/store/cache/narinfo.ts";
import { pullPaths, pullRealisation } from "#lib/store/cache/pull.ts";
import { pushPaths } from "#lib/store/cache/push.ts";
import { serveCache } from "#lib/store/cache/server.ts";
import { LockFiles } from "#lib/store/lock-files.ts";
import { ownIdentity } from "#lib/store/process-identity.ts";
import {
  generateKeyPair,
  parsePublicKey,
  parseSecretKey,
  pathFingerprint,
  signedBy,
  signText,
} from "#lib/store/signature.ts";
import { Store } from "#lib/store/store.ts";
import { memory, refusing } from "../memory.ts";
import { store as inStore, type World, worlds, writeSource } from "./worlds.ts";

const execute = promisify(execFile);

/** The throw-away key of the vectors. */
const secret = "test-1:Vfo8quROPFk4HmAn7fyjzNWDxbonLX7bBWKaUkdBXeDKQCe6fYeQnAQb/2f3qcpAELq5ox7GSdjfyhDW+hA5Wg==";
const open = "test-1:ykAnun2HkJwEG/9n96nKQBC6uaMexknY38oQ1voQOVo=";

t.setTimeout(600_000);

void t.test("signatures are Nix's", (t) => {
  const vectors: [string, string, number, string[], string][] = [
    [
      "z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep",
      "sha256:00kjynz8n03652qccs76ivsvark3pr3dfr6w1ba3x7bx83kcknvv",
      120,
      [],
      "GRR/Fm5Q+lMsCfniWlyFabwTQgkwKFao6fha4dbTIedXUy27nu4a7JMi8nIwdmA1oa3aUNro4XpRi5KUcQb8Dw==",
    ],
    [
      "30w37wgm2j7igjji86c2az8r09g8zr0x-user",
      "sha256:0g7klw7b3736xnc0b2c6njvwzw3db9y2k12g079fhzzjszzwkfhk",
      216,
      ["z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep", "30w37wgm2j7igjji86c2az8r09g8zr0x-user"],
      "R0/R9YHNghfE250exLFMSyzmVZVdTUkCP9dNMl1QrlwHX+vApOVqVALHP8Qoxa4isWkiuY5+Xj9XHVTEZSMABQ==",
    ],
    [
      "6hjgkyjng08mmriir004yb2ybnn5k0v0-user-user-lib",
      "sha256:0rywr9yq4ia07bp47iw3kzhqav02fzvkg3f0rpvv3n1qvcag9ydh",
      320,
      [
        "ggajzii2kfz53sra19909j0p3awdy2gm-multi",
        "jqfypaxzzxbph88h4gbxpdwmq6sf61g1-user-multi",
        "mgl9i7yqvkhzxljzlwh2r5ydadjvyb5m-user-fod",
        "vq69szc2ii0ki37lgm5298783bq52yjc-user",
      ],
      "esDXfnh3Cvwp/aSt2Tu1tYBBg6FjUtKl7zMNq/B26EK4VMbp/FhS+y8IZqo9BVFd9K8TU9yG+IQqb/2eTOFQCg==",
    ],
  ];
  const path = (name: string): StorePath => parseStorePath(`/nix/store/${name}`);
  for (const [name, narHash, narSize, references, signature] of vectors) {
    const info = { path: path(name), narHash: parseHash(narHash), narSize, references: references.map(path) };
    const text = pathFingerprint(info);
    t.equal(signText(text, parseSecretKey(secret)), `test-1:${signature}`, name);
    t.equal(signedBy(text, [`test-1:${signature}`], [parsePublicKey(open)]), "test-1");
    t.equal(signedBy(`${text} `, [`test-1:${signature}`], [parsePublicKey(open)]), undefined);
    t.equal(signedBy(text, [`test-2:${signature}`], [parsePublicKey(open)]), undefined);
    t.equal(signedBy(text, ["test-1:", "test-1", "rubbish"], [parsePublicKey(open)]), undefined);
  }
  const pair = generateKeyPair("mine");
  const signature = signText("text", parseSecretKey(pair.secret));
  t.equal(signedBy("text", [signature], [parsePublicKey(open), parsePublicKey(pair.public)]), "mine");
  t.throws(() => parseSecretKey(open), /this is no secret key/);
  t.throws(() => parsePublicKey("x"), /this is no public key/);
  t.end();
});

const example = `StorePath: /nix/store/30w37wgm2j7igjji86c2az8r09g8zr0x-user
URL: nar/0rwwc8i1s09d5dnlfmffr3cdlim7qbavkcbfdmlk1gynv40dgj1d.nar.zst
Compression: zstd
FileHash: sha256:0rwwc8i1s09d5dnlfmffr3cdlim7qbavkcbfdmlk1gynv40dgj1d
FileSize: 169
NarHash: sha256:0g7klw7b3736xnc0b2c6njvwzw3db9y2k12g079fhzzjszzwkfhk
NarSize: 216
References: 30w37wgm2j7igjji86c2az8r09g8zr0x-user z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep
Deriver: wlh9a2jdkwfw6jqd3cb3s013i6yz83ca-user.drv
Sig: test-1:R0/R9YHNghfE250exLFMSyzmVZVdTUkCP9dNMl1QrlwHX+vApOVqVALHP8Qoxa4isWkiuY5+Xj9XHVTEZSMABQ==
`;

void t.test("a narinfo is printed as Nix prints it, and a bad one is refused", (t) => {
  t.equal(printNarInfo(parseNarInfo(example)), example);
  const without = example.replace(/References: .*/, "References: ");
  t.equal(printNarInfo(parseNarInfo(without)), without);
  for (const [from, to, message] of [
    [/^StorePath.*$/m, "", /StorePath is missing/],
    [/^URL: .*$/m, "URL: ../../etc/passwd", /leads out of the cache/],
    [/^URL: .*$/m, "URL: http://elsewhere/x", /leads out of the cache/],
    [/^NarSize: .*$/m, "NarSize: -1", /NarSize is '-1'/],
    [/^NarHash: sha256:0g/m, "NarHash: sha256:e", /not the length|base-32/],
    [/^Compression.*$/m, "NarSize: 1\nNarSize: 2", /twice/],
    [/^References: 30w/m, "References: ../", /not a store path/],
    [/^Deriver/m, "no field at all\nDeriver", /is no field/],
  ] as const) {
    t.throws(() => parseNarInfo(example.replace(from, to)), { _tag: "NarInfoSyntaxError", message });
  }
  t.end();
});

void t.test("signatures are added to a narinfo before its content address, and change nothing else", (t) => {
  const unsigned = example.replace(/Sig: .*\n/, "");
  const shortest = unsigned.replace(/References: .*\nDeriver: .*\n/, "References: \n");
  t.ok(shortest.endsWith("\nReferences: \n"));
  for (const text of [unsigned, shortest, `${unsigned}CA: text:sha256:0\n`, `Foreign: field\n${unsigned}`]) {
    const signed = signNarInfo(signNarInfo(text, ["b:1"]), ["a:1", "b:1"]);
    t.equal(signed.replace(/^Sig: .*\n/gm, ""), text);
    t.strictSame(parseNarInfo(signed).info.signatures, ["a:1", "b:1"]);
    t.match(signed, /Sig: b:1\n(CA: .*\n)?$/);
  }
  t.end();
});

interface Place {
  readonly fs: typeof nodeFs;
  /** Where caches and stores are. */
  readonly directory: string;
  /** Runs something in the store of this name. */
  readonly run: <A>(name: string, effect: Effect.Effect<A, CacheError, Services>) => Promise<A>;
  readonly fail: (name: string, effect: Effect.Effect<unknown, CacheError, Services>) => Promise<CacheError>;
  /** Those that were emitted since the last time that this was asked. */
  readonly warnings: () => string[];
}

type Services = Store | FileSystem | Processes | Events;

function place({ fs, directory }: World): Place {
  const warnings: string[] = [];
  const events = Events.to((event) => void (event.type === "warning" && warnings.push(event.message)));
  const platform = Layer.mergeAll(Layer.succeed(FileSystem, fs), Processes.layer, events);
  const layer = (name: string) => Store.layer({ root: join(directory, name) }).pipe(Layer.provideMerge(platform));
  return {
    fs,
    directory,
    run: (name, effect) => Effect.runPromise(Effect.provide(effect, layer(name))),
    fail: (name, effect) => Effect.runPromise(Effect.flip(Effect.provide(effect, layer(name)))),
    warnings: () => warnings.splice(0),
  };
}

const realisationOfB = `sha256:${sha256("b").hex}!out` as const;

/** A text, a text that refers to it, and a tree, with a realisation. */
const fill = ({ fs, directory }: Place) =>
  inStore((s) =>
    Effect.gen(function* () {
      const a = yield* s.addText("a", "a".repeat(5000), []);
      const b = yield* s.addText("b", `see ${a}`, [a]);
      fs.rmSync(join(directory, "src"), { recursive: true, force: true });
      writeSource(fs, join(directory, "src"));
      const tree = yield* s.addSource(source({ path: join(directory, "src") }));
      yield* s.addRealisation({ key: realisationOfB, path: b });
      return { a, b, tree };
    }),
  );

const withCache = <A, E, R>(
  url: string,
  use: (cache: CacheFiles) => Effect.Effect<A, E, R>,
): Effect.Effect<A, E | CacheError, R | FileSystem> => Effect.flatMap(openCache(url), use);

for (const [name, makeWorld] of Object.entries(worlds)) {
  void t.test(`a binary cache in ${name}`, (t) => {
    t.test("what is pushed can be pulled", (t) => {
      for (const compression of ["none", "gzip", "xz", "zstd"] as const satisfies readonly CacheCompression[]) {
        t.test(`with compression ${compression}`, async (t) => {
          const here = place(makeWorld(t));
          const { fs, directory, run } = here;
          const url = `file://${directory}/cache`;
          const { a, b, tree } = await run("from", fill(here));
          const push = withCache(url, (cache) =>
            pushPaths(cache, [b, tree], { compression, key: parseSecretKey(secret) }),
          );
          t.strictSame(await run("from", push), { pushed: [a, b, tree].sort(), present: 0 });
          t.strictSame(await run("from", push), { pushed: [], present: 3 }, "the second time nothing is copied");
          t.match(
            fs.readFileSync(join(directory, `cache/${hashPart(b)}.narinfo`), "utf8"),
            /^Sig: test-1:.*\nCA: text:sha256:/m,
          );
          const pulled = await run(
            "to",
            withCache(url, (cache) => pullPaths(cache, [b, tree])),
          );
          t.strictSame(pulled, [a, b, tree].sort());
          t.strictSame(
            await run(
              "to",
              withCache(url, (cache) => pullPaths(cache, [b, tree])),
            ),
            [],
          );
          const { problems, checked } = await run(
            "to",
            inStore((s) => s.verify()),
          );
          t.strictSame(problems, []);
          t.equal(checked, 3);
          t.equal(fs.statSync(join(directory, "to", tree, "run.sh")).mode & 0o777, 0o555);
        });
      }

      t.test("over HTTP, with uploads where they are allowed", async (t) => {
        const here = place(makeWorld(t));
        const { directory, run } = here;
        const { a, b } = await run("from", fill(here));
        await run(
          "from",
          Effect.scoped(
            Effect.gen(function* () {
              const writable = yield* serveCache({ directory: `${directory}/cache`, writable: true });
              yield* withCache(writable, (cache) => pushPaths(cache, [b], { key: parseSecretKey(secret) }));
              const fixed = yield* serveCache({ directory: `${directory}/cache` });
              const refused = yield* Effect.flip(withCache(fixed, (cache) => cache.write("nix-cache-info", "x"))).pipe(
                Effect.orDie,
              );
              t.match(refused, { _tag: "CacheUnreachable", message: /does not accept uploads/ });
              const none = yield* Effect.flip(serveCache({ directory: `${directory}/nothing` })).pipe(Effect.orDie);
              t.match(none, { _tag: "StoreIoError", message: /serve.*nothing/ });
              for (const path of ["/../from", "/%2e%2e/from", "/nar/../../x", "/nar/%2e%2e%2fx", "/x", "/%zz"]) {
                const { status } = yield* Effect.promise(() => fetch(fixed + path));
                t.equal(status, 404, path);
              }
            }),
          ),
        );
        await run(
          "to",
          Effect.scoped(
            Effect.gen(function* () {
              const url = yield* serveCache({ directory: `${directory}/cache` });
              const trusted = [parsePublicKey(open)];
              const realisation = yield* withCache(url, (cache) => pullRealisation(cache, realisationOfB, { trusted }));
              t.strictSame(realisation, { key: realisationOfB, path: b });
              const s = yield* Store;
              t.strictSame(yield* s.closure([b]), [a, b].sort());
              t.strictSame(yield* s.realisation(realisationOfB), { key: realisationOfB, path: b });
              const none = yield* withCache(url, (cache) =>
                pullRealisation(cache, `sha256:${"0".repeat(64)}!out`, { trusted }),
              );
              t.equal(none, undefined);
            }),
          ),
        );
      });
      t.end();
    });

    t.test("what was tampered with is refused, named, and leaves nothing", async (t) => {
      const here = place(makeWorld(t));
      const { fs, directory, run, fail } = here;
      const url = `file://${directory}/cache`;
      const { a, b, tree } = await run("from", fill(here));
      await run(
        "from",
        withCache(url, (cache) => pushPaths(cache, [b, tree], { compression: "zstd", key: parseSecretKey(secret) })),
      );
      const narInfo = join(directory, `cache/${hashPart(tree)}.narinfo`);
      const good = fs.readFileSync(narInfo, "utf8");
      const { url: archive } = parseNarInfo(good);
      const archiveFile = join(directory, "cache", archive);
      const goodArchive = fs.readFileSync(archiveFile);
      const trusted = [parsePublicKey(open)];
      const pull = withCache(url, (cache) => pullPaths(cache, [tree], { trusted }));

      const edit = (from: RegExp, to: string) => (): void => fs.writeFileSync(narInfo, good.replace(from, to));
      /** The same where no signature gives it away. */
      const editUnsigned = (from: RegExp, to: string) => (): void =>
        fs.writeFileSync(narInfo, good.replace(from, to).replace(/^Sig: .*\n/m, ""));
      const otherText = fs.readFileSync(join(directory, `cache/${hashPart(a)}.narinfo`), "utf8");
      const other = parseNarInfo(otherText);
      const cases: [string, () => void, string, RegExp][] = [
        [
          "a changed archive",
          () => fs.writeFileSync(archiveFile, Buffer.from(goodArchive).fill(7, 20, 24)),
          "CacheFileDamaged",
          /its hash is/,
        ],
        [
          "a cut archive",
          () => fs.writeFileSync(archiveFile, goodArchive.subarray(0, 50)),
          "CacheFileDamaged",
          /it has 50 bytes/,
        ],
        [
          "a missing archive",
          () => fs.rmSync(archiveFile),
          "CacheFileDamaged",
          /it is not there, although '\S+\.narinfo'/,
        ],
        ["another archive", edit(/^URL: .*\n/m, `URL: ${other.url}\n`), "CacheFileDamaged", /it has|its hash/],
        [
          "another NAR hash",
          editUnsigned(/^NarHash: .*/m, `NarHash: ${sha256("").algorithm}:${sha256("").hex}`),
          "CacheFileDamaged",
          /its hash is/,
        ],
        [
          "a smaller NAR size",
          editUnsigned(/^NarSize: .*/m, "NarSize: 8"),
          "CacheFileDamaged",
          /: it unpacks to more than 8 bytes/,
        ],
        [
          "another path's narinfo",
          () => fs.copyFileSync(join(directory, `cache/${hashPart(a)}.narinfo`), narInfo),
          "CacheFileDamaged",
          /it is about/,
        ],
        ["no narinfo", edit(/^[^]*$/, "<html>"), "CacheFileDamaged", /is no field/],
        ["neither signature nor content address", edit(/^(Sig|CA): .*\n/gm, ""), "UntrustedPath", /signed by nobody/],
        [
          "a wrong signature alone",
          edit(/^Sig: (.*)\nCA: .*\n/m, "Sig: test-1:AAAA\n"),
          "UntrustedPath",
          /trusted key test-1 that does not match/,
        ],
        [
          "a wrong signature of what its content proves",
          edit(/^Sig: .*\n/m, "Sig: test-1:AAAA\n"),
          "UntrustedPath",
          /trusted key test-1 that does not match/,
        ],
        [
          "a stranger's signature alone",
          edit(/^Sig: (.*)\nCA: .*\n/m, "Sig: other-1:AAAA\n"),
          "UntrustedPath",
          /only by other-1/,
        ],
        [
          "a made-up reference",
          editUnsigned(/^References: .*/m, `References: ${baseName(a)}`),
          "CacheFileDamaged",
          /does not give its path/,
        ],
        [
          "the consistent narinfo of other content",
          () => {
            let forged = good.replace(/^Sig: .*\n/m, "");
            for (const field of ["URL", "Compression", "FileHash", "FileSize", "NarHash", "NarSize"]) {
              const line = new RegExp(`^${field}: .*$`, "m");
              forged = forged.replace(line, line.exec(otherText)![0]);
            }
            fs.writeFileSync(narInfo, forged);
          },
          "CacheFileDamaged",
          /does not give its path/,
        ],
        [
          "a compression nobody knows",
          edit(/^Compression: .*/m, "Compression: lzma9"),
          "UnsupportedArchive",
          /narinfo' in the cache \S+: its compression 'lzma9' .* is not supported/,
        ],
      ];
      for (const [name, tamper, tag, message] of cases) {
        fs.writeFileSync(narInfo, good);
        fs.writeFileSync(archiveFile, goodArchive);
        tamper();
        const error = await fail("to", pull);
        t.match(error, { _tag: tag, message }, name);
        t.notOk(fs.existsSync(join(directory, "to", tree)), name);
      }
      fs.writeFileSync(narInfo, good);
      fs.writeFileSync(archiveFile, goodArchive);
      fs.writeFileSync(join(directory, "cache/nix-cache-info"), "StoreDir: /gnu/store\n");
      t.match(await fail("to", pull), { _tag: "IncompatibleCache", message: /'\/gnu\/store'/ });
      fs.rmSync(join(directory, "cache/nix-cache-info"));
      t.strictSame(await run("to", pull), [tree], "untouched again, it is taken");

      const realisation = join(directory, `cache/realisations/${realisationOfB}.doi`);
      fs.writeFileSync(realisation, fs.readFileSync(realisation, "utf8").replace(baseName(b), baseName(a)));
      const pullKey = withCache(url, (cache) => pullRealisation(cache, realisationOfB, { trusted }));
      t.match(
        await fail("to", pullKey),
        { _tag: "UntrustedPath", message: /does not match/ },
        "a realisation is only as good as its signature",
      );
    });

    t.test("what cannot be read is replaced by a push, which says so", async (t) => {
      const here = place(makeWorld(t));
      const { fs, directory, run, fail, warnings } = here;
      const url = `file://${directory}/cache`;
      const { a, b, tree } = await run("from", fill(here));
      const push = withCache(url, (cache) => pushPaths(cache, [b, tree], { key: parseSecretKey(secret) }));
      await run("from", push);
      const narInfo = join(directory, `cache/${hashPart(tree)}.narinfo`);
      const good = fs.readFileSync(narInfo, "utf8");
      const archive = join(directory, "cache", parseNarInfo(good).url);
      const damages: [string, string, RegExp][] = [
        ["an empty one", "", /StorePath is missing/],
        ["half of one", good.slice(0, 90), /./],
        ["none at all", "<html>", /is no field/],
        ["a flipped bit", good.replace("NarSize", "NarRize"), /NarSize is missing/],
        ["another path's", fs.readFileSync(join(directory, `cache/${hashPart(a)}.narinfo`), "utf8"), /it is about/],
      ];
      const pull = withCache(url, (cache) => pullPaths(cache, [tree]));
      for (const [name, text, problem] of damages) {
        fs.writeFileSync(narInfo, text);
        fs.writeFileSync(archive, "rotten as well");
        t.match(await fail("to", pull), { _tag: "CacheFileDamaged", file: /narinfo$/, problem }, name);
        t.strictSame(warnings(), [], "nobody who pulls replaces anything");
        t.strictSame(await run("from", push), { pushed: [tree], present: 2 }, name);
        const told = warnings();
        t.equal(told.length, 1, name);
        t.match(told[0], new RegExp(`'${hashPart(tree)}.narinfo' in the cache ${url} is damaged: .*It is replaced`));
        t.equal(fs.readFileSync(narInfo, "utf8"), good, name);
      }
      t.strictSame(await run("to", pull), [tree], "with its archive");

      const realisation = join(directory, `cache/realisations/${realisationOfB}.doi`);
      const answer = fs.readFileSync(realisation, "utf8");
      for (const text of ["", answer.slice(0, 40), answer.replace(/sha256:./, "sha256:0")]) {
        fs.writeFileSync(realisation, text);
        t.strictSame(await run("from", push), { pushed: [], present: 3 });
        t.match(warnings(), [/realisations\/.*is damaged: it is not the realisation of its name. It is replaced/]);
        t.equal(fs.readFileSync(realisation, "utf8"), answer);
      }
      await run("from", push);
      t.strictSame(warnings(), [], "what is in order is not spoken of");
    });

    t.test("what killed pushes left goes after a day, and nothing else", async (t) => {
      const here = place(makeWorld(t));
      const { fs, directory, run, warnings } = here;
      const { b } = await run("from", fill(here));
      const push = withCache(`file://${directory}/cache`, (cache) => pushPaths(cache, [b]));
      await run("from", push);
      const all = () => fs.readdirSync(join(directory, "cache"), { recursive: true }).map(String).sort();
      const wanted = all();
      const boot = "0123456789abcdef".repeat(2);
      const leave = (hours: number, pid: number): string[] =>
        ["", "nar/", "realisations/"].flatMap((place) => {
          const own = `${pid}.77.${boot}.4026531836.${hours}`;
          // Claims to a lock that look dead are removed by whoever breaks one.
          const claims = hours > 24 ? [`${own}.claim`] : [];
          return [`.${own}`, own, `.${pid}.narinfo.lock`, ...claims].map((name) => {
            const file = join(directory, "cache", place + name);
            fs.writeFileSync(file, `${own}\n`);
            const time = Date.now() / 1000 - hours * 3600;
            fs.utimesSync(file, time, time);
            return place + name;
          });
        });
      leave(25, 4194305);
      const young = leave(23, 4194306);
      for (const name of [".htaccess", ".lock-of-somebody", "1.2.3.4.tar", "notes", "flake.lock", "nar/.x.lock"]) {
        fs.writeFileSync(join(directory, "cache", name), name.endsWith(".lock") ? "1.2.3.4" : "mine");
        fs.utimesSync(join(directory, "cache", name), 0, 0);
        wanted.push(name);
      }
      for (const name of ["d.lock", `1.2.${boot}.3`]) {
        fs.mkdirSync(join(directory, "cache", name));
        fs.utimesSync(join(directory, "cache", name), 0, 0);
        wanted.push(name);
      }
      await run("from", push);
      t.strictSame(all(), [...wanted, ...young].sort());
      t.strictSame(warnings(), []);
      await run("from", Effect.scoped(serveCache({ directory: `${directory}/cache` })));
      leave(30, 4194307);
      await run("from", Effect.scoped(serveCache({ directory: `${directory}/cache`, writable: true })));
      t.strictSame(all(), [...wanted, ...young].sort(), "a server that takes uploads tidies too");
    });

    t.test("a cache that is not there says so", async (t) => {
      const { fail, directory } = place(makeWorld(t));
      const path = parseStorePath("/nix/store/8hb1zapwkfr1j7zmxj7s7wj2pgci7zjm-a.txt");
      const pull = (url: string) => withCache(url, (cache) => pullPaths(cache, [path]));
      t.match(await fail("to", pull(`file://${directory}/nope`)), { _tag: "NotInCache", message: /Build it instead/ });
      t.match(await fail("to", pull("http://127.0.0.1:49151")), { _tag: "CacheUnreachable", message: /ECONNREFUSED/ });
      for (const url of ["ftp://x", "file://relative/cache", "file:///a%2fb"])
        t.match(await fail("to", pull(url)), { _tag: "CacheUnreachable", message: /a cache is a file:/ }, url);
    });

    t.end();
  });
}

const nix = ((): string | false => {
  try {
    return execFileSync("nix", ["--version"], { encoding: "utf8" });
  } catch {
    return false;
  }
})();

const nixShell = `
let ca = { system = "x86_64-linux"; builder = "/bin/sh"; __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };
in rec {
  low = derivation (ca // { name = "low"; args = [ "-c" "echo low > $out" ]; });
  top = derivation (ca // { name = "top"; args = [ "-c" "echo \${low} > $out" ]; });
  never = derivation (ca // { name = "never"; builder = "/bin/false"; });
}`;

void t.test("real Nix and this store exchange", { skip: nix === false && "no nix on the PATH" }, (t) => {
  /** Two worlds in one directory: ours, and Nix's store in `nix`. */
  const meeting = (t: Test) => {
    const here = place(worlds["disk"]!(t));
    const { directory } = here;
    nodeFs.writeFileSync(join(directory, "key"), secret);
    nodeFs.writeFileSync(join(directory, "test.nix"), nixShell);
    const env = {
      ...process.env,
      HOME: directory,
      NIX_CONFIG: "build-users-group =\nsandbox-paths = /bin /usr /lib /lib64",
    };
    const options = ["--option", "experimental-features", "nix-command ca-derivations"];
    const real = async (program: string, ...args: string[]): Promise<string> =>
      (await execute(program, [...options, "--option", "sandbox", "true", ...args], { env })).stdout.trim();
    const store = ["--store", join(directory, "nix"), "--option", "substitute", "false"];
    return { ...here, real, store };
  };

  t.test("paths, both ways, in every compression", async (t) => {
    const here = meeting(t);
    const { directory, run, real, store } = here;
    const { a, b, tree } = await run("from", fill(here));
    nodeFs.writeFileSync(join(directory, "file"), "from nix\n");
    for (const compression of ["none", "gzip", "xz", "zstd"] as const) {
      const [ours, theirs] = [`${directory}/ours-${compression}`, `${directory}/theirs-${compression}`];
      await run(
        "from",
        withCache(`file://${ours}`, (cache) => pushPaths(cache, [b, tree], { compression })),
      );
      const target = join(directory, compression);
      await real("nix", "copy", "--from", `file://${ours}`, "--to", target, "--no-check-sigs", b, tree);
      t.equal(nodeFs.readFileSync(join(target, b), "utf8"), `see ${a}`);
      t.equal(nodeFs.readFileSync(join(target, tree, "a.txt"), "utf8"), "alpha\n");
      const added = parseStorePath(await real("nix", ...store, "store", "add-path", join(directory, "file")));
      await real("nix", "copy", "--from", target, "--to", `file://${theirs}?compression=${compression}`, b);
      await real(
        "nix",
        "copy",
        "--from",
        `${directory}/nix`,
        "--to",
        `file://${theirs}?compression=${compression}`,
        added,
      );
      const pulled = await run(
        `to-${compression}`,
        withCache(`file://${theirs}`, (cache) => pullPaths(cache, [added, b])),
      );
      t.strictSame(pulled, [added, a, b].sort());
      t.equal(nodeFs.readFileSync(join(directory, `to-${compression}`, added), "utf8"), "from nix\n");
    }
  });

  t.test("paths over HTTP, both ways", async (t) => {
    const here = meeting(t);
    const { directory, run, real, store } = here;
    const { a, b } = await run("from", fill(here));
    nodeFs.writeFileSync(join(directory, "file"), "from nix\n");
    const added = parseStorePath(await real("nix", ...store, "store", "add-path", join(directory, "file")));
    await run(
      "from",
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* serveCache({ directory: `${directory}/served`, writable: true });
          yield* withCache(url, (cache) => pushPaths(cache, [b]));
          yield* Effect.promise(() =>
            real("nix", "copy", "--from", url, "--to", `${directory}/nix`, "--no-check-sigs", b),
          );
          t.equal(nodeFs.readFileSync(join(directory, "nix", b), "utf8"), `see ${a}`);
          yield* Effect.promise(() => real("nix", "copy", "--from", `${directory}/nix`, "--to", url, added));
          t.strictSame(yield* withCache(url, (cache) => pullPaths(cache, [added])), [added]);
        }),
      ),
    );
  });

  t.test("realisations: theirs, signed while building, of outputs that refer to others", async (t) => {
    const { directory, run, fail, real, store } = meeting(t);
    const keys = ["--option", "secret-key-files", join(directory, "key")];
    const file = join(directory, "test.nix");
    const top = parseStorePath(await real("nix-build", ...store, ...keys, file, "-A", "top", "--no-out-link"));
    await real("nix", "copy", ...store, "--to", `file://${directory}/theirs`, "-f", file, "top");
    const files = nodeFs.readdirSync(join(directory, "theirs/realisations"));
    t.equal(files.length, 2);
    const trusted = [parsePublicKey(open)];
    const pulled: StorePath[] = [];
    for (const name of files) {
      const key = name.replace(/\.doi$/, "") as typeof realisationOfB;
      const pull = (trusted: Parameters<typeof pullRealisation>[2]) =>
        withCache(`file://${directory}/theirs`, (cache) => pullRealisation(cache, key, trusted));
      t.match(await fail("to", pull({ trusted: [parsePublicKey(generateKeyPair("test-1").public)] })), {
        _tag: "UntrustedPath",
      });
      const realisation = await run("to", pull({ trusted }));
      pulled.push(realisation!.path);
      t.strictSame(
        await run(
          "to",
          inStore((s) => s.realisation(key)),
        ),
        realisation,
      );
    }
    t.ok(pulled.includes(top));
  });

  t.test("realisations: ours, which real Nix takes instead of building", async (t) => {
    const here = meeting(t);
    const { directory, run, real, store } = here;
    const never = derivation({
      name: "never",
      builder: "/bin/false",
      env: { outputHashAlgo: "sha256", outputHashMode: "recursive" },
    });
    const instantiated = instantiate([never], new Map()).derivations.get(never)!;
    const file = join(directory, "test.nix");
    t.equal(await real("nix-instantiate", ...store, file, "-A", "never"), instantiated.path);
    const made = await run(
      "from",
      Effect.gen(function* () {
        const path = yield* inStore((s) => s.addText("never", "not built", []));
        yield* inStore((s) => s.addRealisation({ key: realisationKey(instantiated.hashModulo, "out"), path }));
        yield* withCache(`file://${directory}/ours`, (cache) =>
          pushPaths(cache, [path], { key: parseSecretKey(secret) }),
        );
        return path;
      }),
    );
    const realise = (...options: string[]) =>
      real("nix-store", "--store", join(directory, "nix"), ...options, "-r", instantiated.path);
    await t.rejects(realise("--option", "substitute", "false"), "without the cache it builds, and fails");
    const cache = ["--option", "substituters", `file://${directory}/ours`, "--option", "trusted-public-keys", open];
    t.equal(await realise(...cache), made);
    t.equal(nodeFs.readFileSync(join(directory, "nix", made), "utf8"), "not built");
  });
  t.end();
});

void t.test("a realisation in a cache keeps its signatures, and what it says", async (t) => {
  const here = place(worlds["memory"]!(t));
  const { fs, directory, run } = here;
  const { b } = await run("from", fill(here));
  const other = generateKeyPair("other-1");
  const push = (key?: string) =>
    run(
      "from",
      withCache(`file://${directory}/cache`, (cache) =>
        pushPaths(cache, [b], key === undefined ? {} : { key: parseSecretKey(key) }),
      ),
    );
  const file = join(directory, "cache/realisations", `${realisationOfB}.doi`);
  const signers = () => /"signatures":(.*)}/.exec(fs.readFileSync(file, "utf8"))![1]!.match(/[a-z]+-1(?=:)/g) ?? [];
  await push();
  t.strictSame(signers(), []);
  await push(secret);
  await push(other.secret);
  await push();
  t.strictSame(signers(), ["other-1", "test-1"]);
  const before = fs.readFileSync(file, "utf8");
  await run(
    "from",
    Effect.gen(function* () {
      const another = yield* inStore((s) => s.addText("b", "built again, differently", []));
      yield* inStore((s) => s.addRealisation({ key: realisationOfB, path: another }));
      yield* withCache(`file://${directory}/cache`, (cache) => pushPaths(cache, [another]));
    }),
  );
  t.equal(fs.readFileSync(file, "utf8"), before, "the first answer stands");
});

/** A server of a test's own; its URL. */
async function listening(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

void t.test("what several push at once, all of them have signed", async (t) => {
  for (const [name, makeWorld] of Object.entries(worlds)) {
    t.test(`in ${name}`, async (t) => {
      const here = place(makeWorld(t));
      const { fs, directory, run } = here;
      const { b } = await run("from", fill(here));
      const keys = [secret, ...["one-1", "two-1"].map((name) => generateKeyPair(name).secret)];
      const file = (path: string) => fs.readFileSync(join(directory, path), "utf8");
      for (let round = 0; round < 8; round++) {
        const cache = `cache-${round}`;
        const push = (key?: string) =>
          withCache(`file://${directory}/${cache}`, (files) =>
            pushPaths(files, [b], key === undefined ? {} : { key: parseSecretKey(key) }),
          );
        if (round % 2 === 0) await run("from", push());
        await run("from", Effect.all(keys.map(push), { concurrency: "unbounded" }));
        const narInfo = file(`${cache}/${hashPart(b)}.narinfo`);
        t.strictSame(narInfo.match(/(?<=^Sig: )[^:]+/gm), ["one-1", "test-1", "two-1"]);
        t.ok(parseNarInfo(narInfo).info.path, "it can be read");
        t.strictSame(
          file(`${cache}/realisations/${realisationOfB}.doi`)
            .match(/[a-z]+-1(?=:)/g)
            ?.sort(),
          ["one-1", "test-1", "two-1"],
        );
        t.strictSame(
          fs.readdirSync(join(directory, cache), { recursive: true }).filter((name) => /(^|[/])\./.test(String(name))),
          [],
          "no lock is left",
        );
      }
    });
  }

  for (const [code, kind] of [
    ["EPERM", "where a file has one name only, without locks"],
    ["ENOSPC", "not where no lock can be made, which is the cache's fault"],
  ] as const) {
    t.test(`in a directory, ${kind}`, async (t) => {
      const fs = memory();
      const update = withCache("file:///cache", (files) => files.update("x", (text) => text ?? "signed"));
      const done = Effect.runPromise(Effect.provideService(update, FileSystem, refusing(fs, "link", code)));
      if (code === "EPERM") await done;
      else t.match(await done.catch((cause: unknown) => cause), { _tag: "CacheUnreachable", reason: /ENOSPC/ });
      t.strictSame(fs.readdirSync("/cache"), code === "EPERM" ? ["x"] : []);
    });
  }

  t.test("over HTTP, where what somebody else writes is found again", async (t) => {
    const files = new Map<string, string>();
    const others = ["other", "another"];
    const url = await listening(t, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const name = request.url ?? "";
        if (request.method === "PUT") files.set(name, others.pop() ?? Buffer.concat(chunks).toString());
        const content = files.get(name);
        response.writeHead(content === undefined ? 404 : 200).end(content);
      });
    });
    const add = (text: string | undefined) => [...new Set([...(text?.split(" ") ?? []), "ours"])].sort().join(" ");
    await Effect.runPromise(
      withCache(url, (cache) => cache.update("signers", add)).pipe(Effect.provide(FileSystem.layer)),
    );
    t.equal(files.get("/signers"), "other ours");
  });

  for (const [name, makeWorld] of Object.entries(worlds)) {
    t.test(`over HTTP in ${name}, where our server replaces only what was read`, async (t) => {
      const { fs, directory, run } = place(makeWorld(t));
      const file = join(directory, "cache", `${"0".repeat(32)}.narinfo`);
      const names = (text: string | undefined) => text?.split(" ") ?? [];
      const update = (change: (text: string | undefined) => string) =>
        run(
          "from",
          Effect.scoped(
            Effect.flatMap(serveCache({ directory: `${directory}/cache`, writable: true }), (url) =>
              withCache(url, (cache) => cache.update(`${"0".repeat(32)}.narinfo`, change)),
            ),
          ),
        );
      for (const [before, after] of [
        [undefined, "ours theirs"],
        ["first", "first ours theirs"],
      ] as const) {
        fs.rmSync(join(directory, "cache"), { recursive: true, force: true });
        fs.mkdirSync(join(directory, "cache"));
        if (before !== undefined) fs.writeFileSync(file, before);
        let asked = 0;
        await update((text) => {
          const all = [...new Set([...names(text), "ours"])].sort().join(" ");
          // Somebody is as quick, after it was read and before it is written.
          if (asked++ === 0) {
            fs.writeFileSync(`${file}.draft`, [...names(text), "theirs"].join(" "));
            fs.renameSync(`${file}.draft`, file);
          }
          return all;
        });
        t.equal(fs.readFileSync(file, "utf8"), after);
        t.equal(asked, 3, "once for each of the two, and once to see that it stays");
        t.strictSame(fs.readdirSync(join(directory, "cache")), [basename(file)]);
      }
    });
  }

  t.test("over HTTP, also where a server knows no conditions; not where it says that they do not hold", async (t) => {
    for (const [status, left] of [
      [501, "ours"],
      [400, "ours"],
      [412, "theirs"],
    ] as const) {
      let content = "theirs";
      const url = await listening(t, (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          if (request.method === "PUT") {
            if (request.headers["if-match"] !== undefined) return void response.writeHead(status).end();
            content = Buffer.concat(chunks).toString();
          }
          // Some proxies give tags of their own, by which the server knows nothing.
          response.writeHead(200, { etag: status === 412 ? '"own"' : `"${content}"` }).end(content);
        });
      });
      const update = withCache(url, (cache) => cache.update("x.narinfo", () => "ours"));
      const done = await Effect.runPromise(Effect.result(update).pipe(Effect.provide(FileSystem.layer)));
      t.equal(content, left, `${status}`);
      t.match(done, left === "ours" ? { _tag: "Success" } : { failure: { _tag: "CacheFileUnsettled" } });
    }
  });

  /** A server of one file with a tag of its content, as `status` has it: undefined where it does what it is asked to. */
  const conditional = async (
    t: Test,
    content: string | undefined,
    status: (request: IncomingMessage, content: string | undefined) => number | undefined,
    meanwhile: (content: string | undefined) => string | undefined = (same) => same,
  ) => {
    const sent: (string | undefined)[] = [];
    const url = await listening(t, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { "if-match": same, "if-none-match": none } = request.headers;
        if (request.method === "PUT") {
          sent.push(same ?? none);
          content = meanwhile(content);
        }
        const tag = content === undefined ? undefined : `"${content}"`;
        const holds = (same === undefined || same === tag) && (none === undefined || tag === undefined);
        const code = status(request, content) ?? (holds ? undefined : 412);
        if (code !== undefined) return void response.writeHead(code).end();
        if (request.method === "PUT") content = Buffer.concat(chunks).toString();
        if (content === undefined) return void response.writeHead(404).end();
        response.writeHead(200, { etag: `"${content}"` }).end(request.method === "PUT" ? "" : content);
      });
    });
    const run = <A, E>(use: (cache: CacheFiles) => Effect.Effect<A, E>) =>
      Effect.runPromise(
        Effect.result(withCache(url, use)).pipe(Effect.provideService(FileSystem, memory({ "/archive": "archive" }))),
      );
    return { run, sent, content: () => content };
  };
  const append = (name: string) => (text: string | undefined) =>
    [...new Set([...(text?.split(" ") ?? []), name])].sort().join(" ");

  t.test("over HTTP, where a server is too busy, nothing is replaced unseen", async (t) => {
    for (const status of [429, 500, 503]) {
      const server = await conditional(t, "theirs", ({ method }) => (method === "PUT" ? status : undefined));
      t.match(await server.run((cache) => cache.update("x.narinfo", append("ours"))), {
        failure: { _tag: "CacheUnreachable", reason: new RegExp(`answered ${status}`) },
      });
      t.strictSame(server.sent, ['"theirs"', '"theirs"', '"theirs"'], "never without its condition");
    }
    // The answer to the first attempt is lost; the second one finds what that left.
    let lost = false;
    const server = await conditional(t, "theirs ours", ({ method }) => {
      if (method !== "PUT" || lost) return undefined;
      lost = true;
      return 503;
    });
    t.match(await server.run((cache) => cache.update("x.narinfo", append("more"))), { _tag: "Success" });
    t.equal(server.content(), "more ours theirs");
  });

  t.test("over HTTP, what others write in each round stays", async (t) => {
    for (const start of ["a", undefined]) {
      let count = 0;
      const busy = await conditional(
        t,
        start,
        () => undefined,
        (text) => `${text ?? ""}${++count}`,
      );
      t.match(await busy.run((cache) => cache.update("x.narinfo", append("ours"))), {
        failure: { _tag: "CacheFileUnsettled", message: /to be changed 8 times.*others.*Push again/ },
      });
      t.notOk(busy.sent.includes(undefined), "nothing is written without a condition");
      t.notMatch(busy.content(), /ours/);
      let others = 6;
      const calmer = await conditional(
        t,
        start,
        () => undefined,
        (text) => (others-- > 0 ? append(`${others}`)(text) : text),
      );
      t.match(await calmer.run((cache) => cache.update("x.narinfo", append("ours"))), { _tag: "Success" });
      t.match(calmer.content(), /^0 1 2 3 4 5 (a )?ours$/);
    }
  });

  t.test("over HTTP, what is changed or deleted meanwhile is looked at again", async (t) => {
    let conflicts = 1;
    const busy = await conditional(t, "theirs", ({ method }) =>
      method === "PUT" && conflicts-- > 0 ? 409 : undefined,
    );
    t.match(await busy.run((cache) => cache.update("x.narinfo", append("ours"))), { _tag: "Success" });
    t.equal(busy.content(), "ours theirs");
    const gone = await conditional(
      t,
      "theirs",
      ({ headers }, content) => (headers["if-match"] !== undefined && content === undefined ? 404 : undefined),
      () => undefined,
    );
    t.match(await gone.run((cache) => cache.update("x.narinfo", append("ours"))), { _tag: "Success" });
    t.equal(gone.content(), "ours");
  });

  t.test("over HTTP, our server takes conditions as HTTP defines them", async (t) => {
    const directory = t.testdir({});
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = `${yield* serveCache({ directory, writable: true })}/${"0".repeat(32)}.narinfo`;
          const put = (headers: Record<string, string>) =>
            Effect.promise(async () => (await fetch(url, { method: "PUT", body: "x", headers })).status);
          const tag = () => Effect.promise(async () => (await fetch(url)).headers.get("etag") ?? "");
          t.equal(yield* put({ "if-match": "*" }), 412);
          t.equal(yield* put({ "if-none-match": '"a", "b"' }), 201);
          t.equal(yield* put({ "if-none-match": `"a", ${yield* tag()}` }), 412);
          t.equal(yield* put({ "if-none-match": "*" }), 412);
          t.equal(yield* put({ "if-match": '"a", "b"' }), 412);
          t.equal(yield* put({ "if-match": `"a", ${yield* tag()}` }), 201);
          t.equal(yield* put({ "if-match": " * " }), 201);
        }),
      ).pipe(Effect.provide(FileSystem.layer)),
    );
  });

  t.test("a lock of a process that cannot be seen from here counts for a minute", async (t) => {
    const directory = t.testdir({});
    const { boot } = await ownIdentity();
    const lock = join(directory, ".x.narinfo.lock");
    const update = withCache(`file://${directory}`, (cache) => cache.update("x.narinfo", append("ours")));
    const run = () => Effect.runPromise(update.pipe(Effect.timeoutOption(2500), Effect.provide(FileSystem.layer)));
    nodeFs.writeFileSync(lock, `7.123.${boot}.4026539999\n`);
    t.match(await run(), { _tag: "None" }, "it waits");
    t.strictSame(nodeFs.readdirSync(directory), [".x.narinfo.lock"], "and leaves nothing when it is interrupted");
    const time = Date.now() / 1000 - 61;
    nodeFs.utimesSync(lock, time, time);
    // Who has waited for as long takes a lock that is young nevertheless.
    const patient = new LockFiles(nodeFs, directory, directory);
    t.notOk(await patient.take(".x.narinfo"));
    for (const file of nodeFs.readdirSync(directory)) nodeFs.utimesSync(join(directory, file), time, time);
    await patient.renew();
    t.ok(await patient.take(".other"));
    t.ok(nodeFs.statSync(join(directory, ".other.lock")).mtimeMs > Date.now() - 50_000);
    await patient.release(".other");
    await patient.close();
    t.match(await run(), { _tag: "Some" });
    t.strictSame(nodeFs.readdirSync(directory), ["x.narinfo"]);
    nodeFs.rmSync(join(directory, "x.narinfo"));

    // A server that waits for one can be ended, and whoever sends something can give up.
    nodeFs.writeFileSync(lock, `7.123.${boot}.4026539999\n`);
    const name = `${"0".repeat(32)}.narinfo`;
    nodeFs.renameSync(lock, join(directory, `.${name}.lock`));
    for (const leaves of ["the sender", "the server"]) {
      const stop = new AbortController();
      await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const url = yield* serveCache({ directory, writable: true });
            const sent = fetch(`${url}/${name}`, { method: "PUT", body: "x", signal: stop.signal });
            sent.catch(() => {});
            while (nodeFs.readdirSync(directory).length < 3) yield* Effect.sleep(10);
            if (leaves === "the server") return;
            stop.abort();
            while (nodeFs.readdirSync(directory).length > 1) yield* Effect.sleep(10);
          }),
        ).pipe(Effect.provide(FileSystem.layer)),
      );
      for (let wait = 0; wait < 500 && nodeFs.readdirSync(directory).length > 1; wait++) await delay(10);
      t.strictSame(nodeFs.readdirSync(directory), [`.${name}.lock`], leaves);
    }
  });

  t.test("over HTTP, a condition that was not made does not fail", async (t) => {
    const server = await conditional(t, "theirs", () => 412);
    const refused = { failure: { _tag: "CacheUnreachable", reason: /answered 412/ } };
    t.match(await server.run((cache) => cache.write("x.narinfo", "ours")), refused);
    t.match(await server.run((cache) => cache.upload("nar/x.nar", "/archive")), refused);
    t.match(await server.run((cache) => cache.read("x.narinfo")), refused);
    t.match(await server.run((cache) => cache.has("x.narinfo")), refused);
  });

  t.test("over HTTP, where what is written does not stay, it is no success", async (t) => {
    /** A server that keeps what is written from the given round on. */
    const update = async (t: Test, stays: number, instead: string | undefined) => {
      let [written, content] = [0, undefined as string | undefined];
      const url = await listening(t, (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          if (request.method === "PUT") content = ++written < stays ? instead : Buffer.concat(chunks).toString();
          response.writeHead(request.method === "PUT" || content !== undefined ? 200 : 404).end(content);
        });
      });
      const done = await Effect.runPromise(
        Effect.result(withCache(url, (cache) => cache.update("x.narinfo", () => "ours"))).pipe(
          Effect.provide(FileSystem.layer),
        ),
      );
      return { written, error: Result.isFailure(done) ? done.failure : undefined };
    };
    t.strictSame(await update(t, 8, "theirs"), { written: 8, error: undefined }, "the last round counts as well");
    t.match(await update(t, 9, "theirs"), {
      written: 8,
      error: {
        _tag: "CacheFileUnsettled",
        message: /'x.narinfo' in the cache http:.* to be changed 8 times.*others.*again/,
      },
    });
    t.match(await update(t, 9, undefined), {
      error: { _tag: "CacheFileUnsettled", message: /did not give it back: .*proxy/ },
    });
  });
  t.end();
});

void t.test("a server that has too much to do is asked again, and not for ever", async (t) => {
  let answers = [503, 429, 200];
  let asked = 0;
  const url = await listening(t, (_, response) => {
    asked++;
    response.writeHead(answers.shift() ?? 500).end("here");
  });
  const read = withCache(url, (cache) => cache.read("file")).pipe(Effect.provide(FileSystem.layer));
  t.equal(await Effect.runPromise(read), "here");
  answers = [500, 500, 500, 200];
  t.match(await Effect.runPromise(Effect.flip(read)), { _tag: "CacheUnreachable", reason: /answered 500/ });
  t.equal(asked, 6);
});

void t.test("a server that is busy while it is sent something gets it again, whole", async (t) => {
  let answers = [503, 429, 201, 503, 201];
  const got: string[] = [];
  const url = await listening(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      got.push(Buffer.concat(chunks).toString());
      response.writeHead(answers.shift() ?? 500).end();
    });
  });
  const services = Effect.provideService(FileSystem, memory({ "/archive": "archive" }));
  const send = withCache(url, (cache) =>
    Effect.andThen(cache.write("text", "text"), cache.upload("archive", "/archive")),
  ).pipe(services);
  await Effect.runPromise(send);
  t.strictSame(got, ["text", "text", "text", "archive", "archive"]);
  answers = [];
  t.match(await Effect.runPromise(Effect.flip(send)), { _tag: "CacheUnreachable", reason: /answered 500/ });
});

void t.test("a server that sends without end is not listened to without end", async (t) => {
  const chunk = Buffer.alloc(1024 * 1024, "x");
  let sent = 0;
  const url = await listening(t, (_, response) => {
    const send = (): void => {
      while (!response.destroyed && response.write(chunk)) sent++;
    };
    response.on("drain", send);
    send();
  });
  const fs = memory();
  const services = Effect.provideService(FileSystem, fs);
  const read = withCache(url, (cache) => cache.read("x.narinfo")).pipe(services);
  t.match(await Effect.runPromise(Effect.flip(read)), { _tag: "CacheUnreachable", reason: /more than 16777216 bytes/ });
  t.ok(sent < 100, `${sent} MiB`);
  const download = withCache(url, (cache) => cache.download("nar/x", "/x", 1000)).pipe(services);
  t.equal(await Effect.runPromise(download), true);
  const { size } = fs.statSync("/x");
  t.ok(size > 1000 && size <= chunk.length, `${size} bytes, which is not what was promised`);
});

void t.test("a port that is taken is named, with the way out", async (t) => {
  const url = await listening(t, () => {});
  const { fail } = place(worlds["memory"]!(t));
  const serve = Effect.scoped(serveCache({ directory: "/w/cache", writable: true, port: Number(new URL(url).port) }));
  t.match(await fail("from", serve), {
    _tag: "StoreIoError",
    message: /^cannot listen on port '\d+': another program listens there\. Choose another port with --port\.$/,
  });
});

void t.test("a compressor that fails is named, with how it ended", async (t) => {
  const here = place(worlds["disk"]!(t));
  const { fs, directory, run, fail } = here;
  const { tree } = await run("from", fill(here));
  fs.writeFileSync(join(directory, "zstd"), "#!/bin/sh\ncat > /dev/null\nexit 3\n", { mode: 0o755 });
  const path = process.env["PATH"];
  t.teardown(() => (process.env["PATH"] = path));
  process.env["PATH"] = `${directory}:${path}`;
  const push = withCache(`file://${directory}/cache`, (cache) => pushPaths(cache, [tree]));
  t.match(await fail("from", push), {
    _tag: "StoreIoError",
    message:
      /compress with zstd '\S+-src': the program ended with exit code 3\. Choose another one with --compression\./,
  });
  t.strictSame(fs.readdirSync(join(directory, "cache")), ["nix-cache-info"], "nothing half-made is there");
  fs.writeFileSync(join(directory, "zstd"), "#!/bin/sh\nkill -9 $$\n", { mode: 0o755 });
  t.match(await fail("from", push), { message: /was killed by SIGKILL/ });
});
