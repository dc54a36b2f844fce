/**
 * One measurement in a process of its own: `run.ts SET SIZE [all|one|change]`. Prints what Nix would, and on the
 * error stream the parts of its CPU seconds.
 */
import { writeFileSync } from "node:fs";
import { evalModules, type Module } from "#lib/evaluator/index.ts";
import { setA, setB, setC } from "./sets.ts";

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

/** CPU seconds of one changed definition: replacing its module and reading everything that it affected. */
function change(before: Module, after: Module): number {
  const start = cpu();
  const { affected } = evaluation.replaceModule(before, after);
  for (const [first = "", second = ""] of affected) void evaluation.config[first]?.[second];
  return cpu() - start;
}

/** The middle of five changes, one after the other: now and then one meets a garbage collection. */
function changes(): number {
  const original = made[1] as Module;
  const config = original.config as Record<string, Record<string, unknown>>;
  const [group = ""] = Object.keys(config);
  const [option = ""] = Object.keys(config[group] ?? {});
  const other = {
    ...original,
    config: { ...config, [group]: { ...config[group], [option]: changed(config[group]?.[option]) } },
  };
  const costs: number[] = [];
  for (let n = 0; n < 5; n++) costs.push(n % 2 === 0 ? change(original, other) : change(other, original));
  return costs.sort((a, b) => a - b)[2] ?? Number.NaN;
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

const incremental = mode === "change" ? changes() : undefined;
writeFileSync(2, JSON.stringify({ loaded, generated: generated - loaded, cold, incremental }));
// Written and ended like this, no stream is set up, and garbage is left to the kernel.
writeFileSync(1, text);
process.exit(0);
