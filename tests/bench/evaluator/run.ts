/** One measurement in a process of its own: `run.ts SET SIZE [all|one|change]`. Prints one JSON line. */
import { createHash } from "node:crypto";
import { evalModules, type Module } from "#lib/evaluator/index.ts";
import { oracle, setA, setB, setC } from "./sets.ts";

const [set = "A", sizeText = "1000", mode = "all"] = process.argv.slice(2);
const size = Number(sizeText);

function modules(): readonly Module[] {
  switch (set) {
    case "A":
      return setA(size, Math.max(10, size / 100));
    case "B":
      return setB(size);
    default:
      return setC(size);
  }
}

/** CPU seconds of this process so far, start-up included. */
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
const cold = evaluated - generated;

/** CPU seconds of one changed definition: the replacement and reading everything that it affected. */
function change(): number {
  const before = made[1] as Module;
  const config = before.config as Record<string, Record<string, unknown>>;
  const [group = ""] = Object.keys(config);
  const [option = ""] = Object.keys(config[group] ?? {});
  const after = {
    ...before,
    config: { ...config, [group]: { ...config[group], [option]: changed(config[group]?.[option]) } },
  };
  const start = cpu();
  const { affected } = evaluation.replaceModule(before, after);
  for (const [first = "", second = ""] of affected) void evaluation.config[first]?.[second];
  return cpu() - start;
}

/** The same definition with another value of its kind. */
function changed(definition: unknown): unknown {
  const inner = (definition as { readonly content?: unknown }).content ?? definition;
  switch (typeof inner) {
    case "boolean":
      return !inner;
    case "number":
      return inner + 1;
    case "string":
      return `${inner}-changed`;
    default:
      return ["changed"];
  }
}

const expected = mode === "one" ? undefined : oracle[`${set}-${size}`];
const correct = expected === undefined || expected === createHash("sha256").update(text).digest("hex");
const incremental = mode === "change" ? change() : undefined;
const memory = process.resourceUsage().maxRSS / 1024;
process.stdout.write(
  `${JSON.stringify({ loaded, generated: generated - loaded, cold, total: evaluated, memory, correct, incremental })}\n`,
);
