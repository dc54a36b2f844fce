import * as Effect from "effect/Effect";
import t from "tap";
import { isNpmName, npmRegistry, npmTarballUrl, parseNpmLock } from "#lib/fetchers/npm.ts";
import { Processes } from "#lib/platform/processes.ts";

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
