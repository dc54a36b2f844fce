/** The same module set gives the same JSON as Nix: compared by hash. */
import { createHash } from "node:crypto";
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
