/** The same module set gives the same JSON as Nix: compared by hash. And none of nixpkgs' checks is forgotten. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import t from "tap";
import { evalModules, type Module } from "#lib/evaluator/index.ts";
import { oracle, setA, setB, setC } from "../bench/evaluator/sets.ts";

const hashOf = (modules: readonly Module[]): string =>
  createHash("sha256")
    .update(JSON.stringify(evalModules({ modules }).toPlain()))
    .digest("hex");

const sets: Readonly<Record<string, () => readonly Module[]>> = {
  "A-1000": () => setA(1000, 10),
  "A-10000": () => setA(10_000, 100),
  "A-50000": () => setA(50_000, 500),
  "B-1000": () => setB(1000),
  "B-10000": () => setB(10_000),
};

for (const [name, make] of Object.entries(sets)) {
  t.test(`set ${name} has the JSON that nix-instantiate prints`, async (t) => {
    t.equal(hashOf(make()), oracle[name]);
  });
}

t.test("set C: a chain of 100,000 options evaluates", async (t) => {
  const { config } = evalModules<Record<string, number>>({ modules: setC(100_000) });
  t.equal(config["c99999"], 99_999);
});

/** The checks of nixpkgs' module tests, by group (nix-baseline §2). */
const groups =
  "A1 5, A2 3, A3 14, A4 9, A5 17, A6 14, A7 6, A8 10, A9 15, A10 6, A11 5, A12 6, A13 5, A14 7, A15 4, B1 15, B2 6, B3 6, B4 7, B5 10, B6 5, B7 6, B8 9, B9 23, B10 3, B11 4, C1 24, C2 40, C3 7, C4 8, C5 10, C6 7, C7 10, C8 9, C9 14, C10 17, C11 12, C12 7, C13 5, C14 9, C15 1, C16 7";
const checks = groups.split(", ").flatMap((group) => {
  const [name = "", count] = group.split(" ");
  return Array.from({ length: Number(count) }, (_, index) => `${name}/${index + 1}`);
});

/** "A3/4-7" at the beginning of titles or rows, as single checks. */
const named = (text: string, before: RegExp): readonly string[] =>
  [...text.matchAll(new RegExp(`${before.source}([ABC]\\d+)/(\\d+)(?:-(\\d+))?`, "gu"))].flatMap(
    ([, group, first, last = first]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${group}/${Number(first) + index}`),
  );

t.test("each of nixpkgs' 407 checks has a test or a reason not to, and few have a reason", async (t) => {
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith(".test.ts"));
  const sources = await Promise.all(files.map((file) => readFile(new URL(file, import.meta.url), "utf8")));
  const tested = sources.flatMap((source) => named(source, /t\.test\(\s*["`]/u));
  const excluded = named(await readFile(new URL("../../docs/evaluator.md", import.meta.url), "utf8"), /\n\| /u);
  t.equal(checks.length, 407);
  t.strictSame(
    checks.filter((check) => !tested.includes(check) && !excluded.includes(check)),
    [],
    "neither tested nor excluded",
  );
  t.strictSame(
    [...tested, ...excluded].filter((check) => !checks.includes(check)),
    [],
    "no such check",
  );
  t.strictSame(
    excluded.filter((check) => tested.includes(check)),
    [],
    "excluded, but tested",
  );
  t.ok(excluded.length / checks.length < 0.08, `${excluded.length} of ${checks.length} are excluded`);
  t.comment(`${checks.length - excluded.length} checks are ported, ${excluded.length} excluded`);
});
