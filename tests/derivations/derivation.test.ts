/** Long, since everything about derivations reads the same golden files. */
import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseAterm, printAterm } from "#lib/derivations/aterm.ts";
import { type Derivation, type DerivationAttributes, derivation } from "#lib/derivations/derivation.ts";
import { fingerprintOf } from "#lib/derivations/fingerprint.ts";
import { type HashModulo, hashModulo, realisationKey } from "#lib/derivations/hash-modulo.ts";
import { hashData, parseHash, sha256 } from "#lib/derivations/hash.ts";
import { type InstantiatedDerivation, instantiate, referencedSources } from "#lib/derivations/instantiate.ts";
import { resolve, withDeferredOutputs } from "#lib/derivations/resolve.ts";
import { type Source, source } from "#lib/derivations/source.ts";
import {
  derivationPath,
  knownOutputPath,
  type OutputSpecification,
  type StoreDerivation,
} from "#lib/derivations/store-derivation.ts";
import {
  type DerivationPath,
  derivationName,
  fixedOutputPath,
  parseDerivationPath,
  parseStorePath,
  type StorePath,
  storePathName,
} from "#lib/derivations/store-path.ts";
import { textFile } from "#lib/derivations/text-file.ts";

const golden = join(import.meta.dirname, "golden");

/** Every golden file, read as a store would: the name of a file is its path. */
const files = new Map(
  readdirSync(golden).map((file): [DerivationPath, string] => [
    parseDerivationPath(`/nix/store/${file}`),
    readFileSync(join(golden, file), "utf8"),
  ]),
);

const parsed = new Map([...files].map(([path, text]) => [path, parseAterm(derivationName(path), text)]));

const hashes = new Map<DerivationPath, HashModulo>();
function hashOf(path: DerivationPath): HashModulo {
  const known = hashes.get(path) ?? hashModulo(parsed.get(path)!, (input) => hashOf(input).asInput);
  hashes.set(path, known);
  return known;
}

const named = (name: string): DerivationPath => [...files.keys()].find((path) => derivationName(path) === name)!;

void t.test("every golden derivation", (t) => {
  t.equal(files.size, 14);
  for (const [path, text] of files) {
    const store = parsed.get(path)!;
    t.equal(printAterm(store), text, `${store.name} is printed as it was read`);
    t.equal(derivationPath(store), path, `${store.name} has the path of its file`);
    t.strictSame(recomputedOutputs(store), store.outputs, `${store.name} has the output paths that are in it`);
  }
  t.end();
});

/** Forgets the output paths and computes them again. */
function recomputedOutputs(store: StoreDerivation): ReadonlyMap<string, OutputSpecification> {
  const forgotten = new Map(
    [...store.outputs].map(([name, output]): [string, OutputSpecification] => [
      name,
      output.kind === "fixed"
        ? { ...output, path: fixedOutputPath(store.name, output.mode, output.hash) }
        : { kind: "deferred" },
    ]),
  );
  return withDeferredOutputs({ ...store, outputs: forgotten }, (input) => hashOf(input).asInput, "/nix/store").outputs;
}

void t.test("the hash modulo of a derivation is Nix's", (t) => {
  const masked: Record<string, string> = {
    simple: "595072af4f49a7e6e3c199450fd82e69e589fd048130ced35ea820a92858d271",
    user: "ba88f7d36cecb261b2cce574bf3a505dfc5c3d79601cce9c7d17e78cfc7d7e85",
    "user-multi": "3d84e0b8f6885d22bebb25e32e49ec3405df26b2f64d696997a0dac765159623",
    "flat.txt": "2715e85f52b4855dae50d5a70868d78d8a48970376f558a652a8269e0c215b75",
    rec: "193519dfd33fc61dfda2b1ae76e241e1a310c8e0dbbac11a2b14aa30fc91d969",
    "user-fod": "385f8fb6212ef50029c99ac45fdb9ee90a767e328f7a87d86e83e5c7c85e0b84",
    "user-user": "85374ff598f2186c364ec666bcfbc3c8e5520dca987f1595dc5bf3c7681a4252",
  };
  for (const [name, hex] of Object.entries(masked)) t.equal(hashOf(named(name)).masked, hex, name);
  t.equal(hashOf(named("simple")).asInput, "808797a7494f84efd608ff97f9c3eab7a591a6b9adcf4a48ac02b349d1a46670");
  t.equal(hashOf(named("user")).asInput, "10ed815d29e9c52eb36a716b9410ae296c177190691d9badc928c1c42057a792");
  t.equal(realisationKey(hashOf(named("rec")), "out"), `sha256:${masked["rec"]}!out`);
  t.end();
});

/** The golden derivations as they are written, input-addressed as they were there. */
function vectors(): Record<string, Derivation> {
  const make = (name: string, script: string, more: Partial<DerivationAttributes> = {}): Derivation =>
    derivation({ name, builder: "/bin/sh", args: ["-c", script], addressing: "input", ...more });
  const simple = make("simple", "echo hi > $out");
  const user = make("user", `echo ${simple} $out > $out`);
  const multi = make("multi", "echo o > $out; echo d > $dev; echo b > $bin", { outputs: ["out", "dev", "bin"] });
  const userMulti = make("user-multi", `echo ${multi.output("dev")} ${multi.output("bin")} ${simple} > $out`);
  const flat = make("flat.txt", "printf test > $out", { fixedOutput: { mode: "flat", hash: sha256("test") } });
  const userFod = make("user-fod", `read -r x < ${flat}; echo "$x" > $out`);
  const rec = parseHash("sha256-LKC4zplvhl2zdhm/6RAjVZMFqtgVgEL8bdsO8dQ8W2c=");
  const rec512 = parseHash(
    "sha512:120bfbc613921fb999a7a5112a8a62f3ad8ebd94b3803248b458cbb7acf7b6988874ec5e375a3bc0a2f44a358ae84b59ebf553a1f68b2273719902cc0097efdf",
  );
  return {
    simple,
    escapes: make("escapes", `printf '%s' "$q" > $out`, {
      env: {
        q: 'a"b\\c\nd\te\rf é ☃ $x',
        list: [1, "two", true, false, null, ["n"]],
        flt: 1.5,
        yes: true,
        no: false,
        nul: null,
        num: 42,
      },
    }),
    user,
    multi,
    "user-multi": userMulti,
    "flat.txt": flat,
    rec: make("rec", "printf x > $out", {
      fixedOutput: { mode: "recursive", hash: rec },
      env: { outputHash: "sha256-LKC4zplvhl2zdhm/6RAjVZMFqtgVgEL8bdsO8dQ8W2c=" },
    }),
    "user-fod": userFod,
    "with-srcs": make("with-srcs", 'read -r x < $f; echo "$x $src $p" > $out', {
      env: {
        f: textFile("conf.txt", "hello\n"),
        src: source({ path: "/home/ada/src" }),
        p: source({ path: "/home/ada/src/a.txt" }),
      },
    }),
    "sha1-flat": make("sha1-flat", "printf test > $out", {
      fixedOutput: { mode: "flat", hash: hashData("sha1", "test") },
      env: { outputHashMode: undefined },
    }),
    rec512: make("rec512", "printf x > $out", { fixedOutput: { mode: "recursive", hash: rec512 } }),
    "user-user": make("user-user", `echo ${user} ${userFod} ${userMulti} ${multi} > $lib; echo > $doc`, {
      outputs: ["lib", "doc"],
    }),
  };
}

const vectorSources: Record<string, string> = {
  "/home/ada/src": "/nix/store/p5l67fyalqlmx8l45fhkgzsisbh6clmf-src",
  "/home/ada/src/a.txt": "/nix/store/6mff30gq0wf23ylaj5hw3w1b669ym3la-a.txt",
};

const pathsOf = (sources: readonly Source[]): Map<Source, StorePath> =>
  new Map(sources.map((item) => [item, parseStorePath(vectorSources[item.path]!)]));

void t.test("instantiating gives the golden files", (t) => {
  const roots = Object.values(vectors());
  const instantiation = instantiate(roots, pathsOf(referencedSources(roots)));
  for (const [name, root] of Object.entries(vectors())) {
    const result = instantiation.derivations.get(root)!;
    t.equal(result.text, files.get(named(name)), name);
    t.equal(result.path, named(name));
    t.strictSame(result.hashModulo, hashOf(named(name)));
  }
  t.end();
});

void t.test("the store directory is part of every hash", (t) => {
  const { simple, user, multi, "flat.txt": flat } = vectors();
  const instantiation = instantiate([simple!, user!, multi!, flat!], new Map(), "/gnu/store");
  const expected: [Derivation, string, Record<string, string>][] = [
    [simple!, "91rnl8px4q6h7ydbyy7n9ha0ngjjq3m1-simple.drv", { out: "r7nmiyxan65qfc0jhc0lmz4v908r2dl5-simple" }],
    [user!, "w9sg4lgzsl2gjzn7a2c92as58q4ric55-user.drv", { out: "8hwpqgqwrbk7z22aj8284m5qm1qqvp3i-user" }],
    [
      multi!,
      "xazfdvxh9a2s2dxklqc5rzf9jwr9mc6f-multi.drv",
      {
        out: "sxby0aqxbq290jzvclinnc2p04895zhc-multi",
        dev: "2d7xsqzkdsh1lwybs0xxai7gmd4fy65s-multi-dev",
        bin: "f7c978pibbdalx11924g1sf6v26c36dx-multi-bin",
      },
    ],
    [flat!, "r73fn26f5x3kcizk0bjhjav3vcigq0r2-flat.txt.drv", { out: "lyk3vc8kfj612md72fssc52b3cmcy31z-flat.txt" }],
  ];
  for (const [root, path, outputs] of expected) {
    const { path: actual, store } = instantiation.derivations.get(root)!;
    t.equal(actual, `/gnu/store/${path}`);
    for (const [name, output] of Object.entries(outputs)) {
      t.equal(knownOutputPath(store.outputs.get(name)!), `/gnu/store/${output}`);
    }
  }
  const other = instantiate([simple!], new Map(), "/opt/x/store").derivations.get(simple!)!;
  t.equal(other.path, "/opt/x/store/798l9dwyfcjpsmxw68ggjwawgc975hzq-simple.drv");
  t.equal(knownOutputPath(other.store.outputs.get("out")!), "/opt/x/store/bc4r0zscpw8g925v91cnflvj4lkmdkqf-simple");
  t.end();
});

const script = (name: string, text: string): Derivation => derivation({ name, builder: "/bin/sh", args: ["-c", text] });
const one = (root: Derivation): InstantiatedDerivation => instantiate([root], new Map()).derivations.get(root)!;

void t.test("a floating derivation has placeholders for its own output and for its inputs", (t) => {
  // What Nix leaves in the environment of a derivation with `__contentAddressed = true`.
  const plain = derivation({
    name: "ca-plain",
    builder: "/bin/sh",
    args: ["-c", "echo hi > $out"],
    env: { outputHashAlgo: "sha256", outputHashMode: "recursive" },
  });
  const { path, store } = one(plain);
  t.equal(path, "/nix/store/0cf0iz8yg6q1zw63n1pdgznz1qfd0pw6-ca-plain.drv");
  t.match(printAterm(store), 'Derive([("out","","r:sha256","")]');
  t.equal(store.env.get("out"), "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9");
  const user = one(script("user", `cat ${plain}/etc > $out`));
  t.equal(user.store.args[1], "cat /04w2y9f73xyhb64qgdyjn51pdy522kdbq14x5d3dp3lvai1ld6cl/etc > $out");
  t.strictSame([...user.store.inputDerivations], [[path, ["out"]]]);
  t.end();
});

void t.test("resolving puts real paths in place of placeholders and forgets how the inputs were made", (t) => {
  const built = parseStorePath("/nix/store/fnlla6mjqvkrpgrdcgc90lbcbapbagkw-ca-plain");
  const results = ["echo hi > $out", "echo hi > $out # a comment"].map((text) => {
    const input = script("ca-plain", text);
    const instantiation = instantiate([script("user", `cat ${input} > $out`)], new Map());
    const [inputDerivation, user] = [...instantiation.derivations.values()];
    const outputs = new Map([[inputDerivation!.path, new Map([["out", built]])]]);
    return { path: user!.path, resolved: resolve(user!.store, outputs), unresolved: user!.store };
  });
  const [first, second] = results;
  t.not(first!.path, second!.path);
  t.equal(derivationPath(first!.resolved), derivationPath(second!.resolved), "two ways to one input are one");
  t.equal(first!.resolved.args[1], `cat ${built} > $out`);
  t.equal(first!.resolved.inputDerivations.size, 0);
  t.strictSame(first!.resolved.inputSources, [built]);
  t.throws(() => resolve(first!.unresolved, new Map()), {
    _tag: "MissingInputError",
    message: /output 'out' of .*ca-plain/,
  });
  t.end();
});

void t.test("an input-addressed derivation with a floating input gets its path when it is resolved", (t) => {
  const input = script("in", "echo hi > $out");
  const user = derivation({ name: "user", builder: "/bin/sh", env: { input }, addressing: "input" });
  const dependent = derivation({ name: "top", builder: "/bin/sh", env: { user }, addressing: "input" });
  const instantiation = instantiate([dependent], new Map());
  t.equal(instantiation.derivations.get(dependent)!.store.outputs.get("out")!.kind, "deferred");
  const { store } = instantiation.derivations.get(user)!;
  t.equal(store.outputs.get("out")!.kind, "deferred");
  t.equal(store.env.get("out"), "");
  const built = parseStorePath("/nix/store/fnlla6mjqvkrpgrdcgc90lbcbapbagkw-in");
  const inputPath = instantiation.derivations.get(input)!.path;
  const resolved = resolve(store, new Map([[inputPath, new Map([["out", built]])]]));
  const output = resolved.outputs.get("out")!;
  t.equal(storePathName(knownOutputPath(output)!), "user");
  t.equal(resolved.env.get("out"), knownOutputPath(output));
  t.end();
});

void t.test("what a string mentions becomes an input, however it got there", (t) => {
  const a = script("a", "echo a > $out");
  const b = derivation({ name: "b", builder: "/bin/sh", outputs: ["out", "dev"] });
  const config = textFile("config", "x");
  const top = derivation({
    name: "top",
    builder: `${a}/bin/sh`,
    args: [b.output("dev"), `--config=${config}`],
    env: { flags: JSON.stringify({ nested: [`${a}`] }), list: [b, [config]] },
  });
  const instantiation = instantiate([top], new Map());
  const { store } = instantiation.derivations.get(top)!;
  t.strictSame([...store.inputDerivations].map(([path, outputs]) => [derivationName(path), outputs]).sort(), [
    ["a", ["out"]],
    ["b", ["dev", "out"]],
  ]);
  t.strictSame(store.inputSources, [instantiation.texts.get(config)!.path]);
  t.notMatch(instantiation.byPath.get(instantiation.derivations.get(top)!.path)!.text, a.toString());
  t.equal(instantiation.substitute(`see ${config}/x`), `see ${instantiation.texts.get(config)!.path}/x`);
  t.equal(
    instantiation.substitute("/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),
    "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9",
  );
  t.end();
});

void t.test("a fingerprint is the hash of what something is made from, and makes nothing an input", (t) => {
  const made = (text: string) => derivation({ name: "made", builder: "/bin/bash", env: { text } });
  const record = (of: Derivation) =>
    derivation({ name: "record", builder: "/bin/bash", env: { text: `{"fingerprint":"${fingerprintOf(of)}"}` } });
  const instantiated = (of: Derivation) => {
    const { derivations } = instantiate([record(of)], new Map());
    return { record: derivations.get(record(of))!.store, hash: derivations.get(of)!.hashModulo.asInput };
  };
  const [one, two] = [instantiated(made("1")), instantiated(made("2"))];
  t.equal(one.record.env.get("text"), `{"fingerprint":"${one.hash}"}`);
  t.match(one.hash, /^[0-9a-f]{64}$/);
  t.not(one.hash, two.hash);
  t.equal(one.record.inputDerivations.size, 0);
  t.end();
});

void t.test("texts may mention texts and sources, not outputs", (t) => {
  const inner = textFile("a.txt", "hello\n");
  const outer = textFile("b.txt", `ref ${inner}`);
  const { texts } = instantiate([outer], new Map());
  t.equal(texts.get(outer)!.path, "/nix/store/g3ayx1v5x8dsvzxlk7bdcxiazzhl5c5z-b.txt");
  t.strictSame(texts.get(outer)!.references, [texts.get(inner)!.path]);
  t.throws(() => instantiate([textFile("c", `${script("a", "")}`)], new Map()), {
    _tag: "TextReferenceError",
    message: /'c' mentions an output of the derivation 'a'/,
  });
  t.throws(() => instantiate([source({ path: "/a" })], new Map()), {
    _tag: "MissingSourceError",
    message: /referencedSources/,
  });
  t.end();
});

void t.test("equal attributes give one object, whatever their order", (t) => {
  const first = derivation({ name: "n", builder: "/b", env: { a: 1, b: 2 } });
  t.equal(derivation({ env: { b: "2", a: "1" }, builder: "/b", name: "n" }), first);
  t.not(derivation({ name: "n", builder: "/b", env: { a: 1, b: 3 } }), first);
  t.equal(first.output("out").toString(), `${first}`);
  t.match(`${first}`, /^\/[0-9a-z]{52}$/);
  t.equal(JSON.stringify({ first }), `{"first":"${first}"}`);
  t.end();
});

void t.test("attributes that cannot be serialised are refused with their place", (t) => {
  const base: DerivationAttributes = { name: "n", builder: "/b" };
  const refused: [Partial<DerivationAttributes>, RegExp][] = [
    [{ name: "a b" }, /name: has characters/],
    [{ name: "x.drv" }, /ends in .drv/],
    [{ builder: "" }, /builder: is empty/],
    [{ outputs: [] }, /outputs: is empty/],
    [{ outputs: ["out", "out"] }, /outputs\[1\]: 'out' is there twice/],
    [{ outputs: ["a/b"] }, /outputs\[0\]/],
    [{ env: { "a=b": 1 } }, /env.a=b: cannot be the name/],
    [{ env: { out: 1 } }, /env.out: is the variable of an output/],
    [{ env: { x: ["a", Number.NaN] } }, /env.x\[1\]: NaN/],
    [{ env: { x: 2 ** 60 } }, /use a bigint/],
    [{ env: { x: "\ud800" } }, /half a surrogate pair/],
    [{ args: ["a\0b"] }, /args\[0\]: has a NUL/],
    [{ env: { x: {} as never } }, /no string form/],
    [{ outputs: ["dev"], fixedOutput: { mode: "flat", hash: sha256("") } }, /a fixed output is the only one/],
    [{ fixedOutput: { mode: "flat", hash: { algorithm: "sha256", hex: "00" } } }, /not a sha256/],
  ];
  for (const [attributes, message] of refused) {
    t.throws(() => derivation({ ...base, ...attributes }), { _tag: "DerivationAttributeError", message });
  }
  t.throws(() => derivation(base).output("dev"), /there is no 'dev', only out/);
  t.throws(() => source({ path: "relative" }), /not absolute/);
  t.throws(() => source({ path: "/a/b c" }), /give it another 'name'/);
  t.throws(() => source({ path: "/a", include: ["../b"] }), /not a path below the source/);
  t.end();
});

void t.test("a derivation of any strings is read back as it was printed", (t) => {
  const text = fc.string({ unit: "grapheme" }).map((value) => value.replaceAll("\0", ""));
  fc.assert(
    fc.property(fc.array(text), fc.dictionary(text, text), (args, env) => {
      const store: StoreDerivation = {
        name: "any",
        outputs: new Map([["out", { kind: "floating" }]]),
        inputDerivations: new Map(),
        inputSources: [],
        system: "x",
        builder: "/b",
        args,
        env: new Map(Object.entries(env)),
      };
      const printed = printAterm(store);
      const read = parseAterm("any", Buffer.from(printed));
      t.strictSame(read.args, args);
      t.strictSame(Object.fromEntries(read.env), { ...env });
      t.equal(printAterm(read), printed);
    }),
    { numRuns: 50 },
  );
  t.end();
});

void t.test("damaged derivations are refused with the place, whatever the bytes", (t) => {
  const simple = files.get(named("simple"))!;
  const refused: [string, RegExp][] = [
    ["", /expected "Derive\(", found the end/],
    [simple.slice(0, -1), /expected "\)"/],
    [`${simple} `, /something follows/],
    [simple.replace('"-c"', '"-c'), /expected/],
    [simple.replace("echo hi", "echo \\x"), /an escape other than/],
    [simple.replace("echo hi", "echo \nhi"), /control character/],
    [simple.replace("echo hi", "echo \0hi"), /NUL/],
    [
      simple.replace('("builder","/bin/sh"),("name","simple")', '("name","simple"),("builder","/bin/sh")'),
      /out of order/,
    ],
    [simple.replace('("builder","/bin/sh")', '("builder","/bin/sh"),("builder","/bin/sh")'), /out of order or doubled/],
    [simple.replace('simple","","")', 'simple","md4","00")'), /'md4' is not a hash algorithm/],
    [simple.replace('simple","","")', 'simple","sha256","00")'), /'00' is not a sha256/],
    [simple.replace("[],[]", '[("/etc/passwd",["out"])],[]'), /not in the store directory/],
    [simple.replace("[],[]", '[],["/nix/store/../../etc"]'), /is not a store path/],
    [simple.replace(/\[\("out".*?\)\]/, "[]"), /no outputs/],
  ];
  for (const [text, message] of refused) {
    t.throws(() => parseAterm("simple", text), { _tag: "AtermError", message }, String(message));
  }
  t.throws(() => parseAterm("simple", new Uint8Array([0xff])), { _tag: "AtermError", message: /not UTF-8/ });
  t.throws(() => parseAterm("a b", simple), { _tag: "AtermError", message: /its name/ });
  fc.assert(
    fc.property(fc.nat(simple.length), fc.string({ maxLength: 3 }), fc.nat(5), (at, insert, cut) => {
      const mutated = simple.slice(0, at) + insert + simple.slice(at + cut);
      try {
        t.equal(printAterm(parseAterm("simple", mutated)), mutated);
      } catch (error) {
        t.equal((error as { _tag?: string })._tag, "AtermError");
      }
    }),
    { numRuns: 300 },
  );
  t.end();
});

void t.test("ten thousand derivations in a chain are instantiated without deep recursion", (t) => {
  let last = script("n0", "echo > $out");
  for (let index = 1; index < 10_000; index++) last = script(`n${index}`, `cat ${last} > $out`);
  t.equal(instantiate([last], new Map()).derivations.size, 10_000);
  t.end();
});
