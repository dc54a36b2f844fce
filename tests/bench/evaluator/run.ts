/** One measurement in a process of its own: `run.ts SET SIZE`. Prints one JSON line. */
import { createHash } from "node:crypto";
import { evalModules, type Module } from "#lib/evaluator/index.ts";
import { oracle, setA, setB, setC } from "./sets.ts";

const [set = "A", sizeText = "1000", mode = "all"] = process.argv.slice(2);
const size = Number(sizeText);

function modules(): readonly Module[] {
  switch (set) {
    case "A":
      return setA(size, Math.max(1, size / 100));
    case "B":
      return setB(size);
    default:
      return setC(size);
  }
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const loaded = cpu();
const made = modules();
const generated = cpu();
const evaluation = evalModules<Record<string, Record<string, unknown>>>({ modules: made });
let text: string;
if (mode === "one") text = JSON.stringify(evaluation.config["g50"]?.["o5005"]);
else if (set === "C") text = String(evaluation.config[`c${size - 1}`]);
else text = evaluation.toJson();
const evaluated = cpu();

const expected = mode === "one" ? undefined : oracle[`${set}-${size}`];
const hash = createHash("sha256").update(text).digest("hex");
process.stdout.write(
  `${JSON.stringify({
    loaded,
    generated: generated - loaded,
    evaluated: evaluated - generated,
    total: evaluated,
    memory: process.resourceUsage().maxRSS / 1024,
    correct: expected === undefined || expected === hash,
  })}\n`,
);
