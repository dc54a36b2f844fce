/**
 * The module sets A, B and C. Their definition, and the sha256 of their
 * results under Nix, are in the project's research (nix-baseline §4.1).
 */
import * as evaluator from "#lib/evaluator/index.ts";
import { mkOption, mkOptionDefault, type Module, types } from "#lib/evaluator/index.ts";

/** sha256 of each set's JSON as Nix prints it. */
export const oracle: Readonly<Record<string, string>> = {
  "A-1000": "52ec4f7990a8319f6241fe1763501f2d5d8896166acfc3433dc22174ec85b870",
  "A-10000": "c141988be6d19a2d2a53896325f3ca28a6ba3780cfe6bf42e7be18e1455101b1",
  "A-50000": "8cb3905452ea0ae125abb7e38485de30409f179b2c512bf5996187b071cf4687",
  "B-1000": "7e7661c3bfb8362aab00bc9c0849efe9a4219028b20cee5021351fbd26401bcc",
  "B-10000": "153e5c191df5b698bce841bb2c8524f54fddb92f94252218e1e2d7573ddf5e87",
};

type Groups = Record<string, Record<string, unknown>>;
/** Reads `a.b.c` of a configuration without static types. */
const read = (config: unknown, ...path: readonly string[]): unknown => {
  let at = config;
  for (const key of path) at = (at as Record<string, unknown>)[key];
  return at;
};
/** Definitions are generated here, so nothing announces their types. */
interface Untyped {
  mkIf(condition: boolean | ((config: unknown) => unknown), content: unknown): unknown;
  mkOverride(priority: number, content: unknown): unknown;
  mkDefault(content: unknown): unknown;
  mkForce(content: unknown): unknown;
  mkBefore(content: unknown): unknown;
  mkAfter(content: unknown): unknown;
}
// Named one by one, so that the bundle holds no more than a program would that imports these.
const { mkAfter, mkBefore, mkDefault, mkForce, mkIf, mkOverride } = {
  mkAfter: evaluator.mkAfter,
  mkBefore: evaluator.mkBefore,
  mkDefault: evaluator.mkDefault,
  mkForce: evaluator.mkForce,
  mkIf: evaluator.mkIf,
  mkOverride: evaluator.mkOverride,
} as unknown as Untyped;

const declare = (index: number): unknown => {
  const description = `option ${index}`;
  switch (index % 4) {
    case 0:
      return mkOption({ type: types.bool, default: false, description });
    case 1:
      return mkOption({ type: types.int, default: 0, description });
    case 2:
      return mkOption({ type: types.str, default: "d", description });
    default:
      return mkOption({ type: listOfStrings, default: [], description });
  }
};
const listOfStrings = types.listOf(types.str);

function valueOf(index: number, stage: number): unknown {
  switch (index % 4) {
    case 0:
      return (Math.floor(index / 4) + stage) % 2 === 0;
    case 1:
      return index + stage;
    case 2:
      return `v${index}-${stage}`;
    default:
      return [`v${index}-${stage}`];
  }
}

// Names are made once and shared, as the parser would share those of real module files.
const groupNames: string[] = [];
const optionNames: string[] = [];
const groupOf = (index: number): string => {
  const group = Math.floor(index / 100);
  return (groupNames[group] ??= `g${group}`);
};
const nameOf = (index: number): string => (optionNames[index] ??= `o${index}`);

/** Set A: plain options over many modules, with priorities and conditions on other options. */
export function setA(options: number, modules: number): readonly Module[] {
  return Array.from({ length: modules }, (_, m) => moduleOfA(m, options, modules));
}

/** A record without the hidden classes that half a million different keys would leave behind. */
const emptyRecord = (): Record<string, unknown> => Object.create(null) as Record<string, unknown>;

function moduleOfA(m: number, options: number, modules: number): Module {
  const declared = emptyRecord() as Groups;
  for (let index = m; index < options; index += modules) put(declared, index, declare(index));
  const config = emptyRecord() as Groups;
  const first = (stage: number): number => (m - stage + modules) % modules;
  for (let index = first(1); index < options; index += modules) put(config, index, mkDefault(valueOf(index, 1)));
  for (let index = first(2); index < options; index += modules)
    if (index % 3 === 0) put(config, index, valueOf(index, 2));
  for (let index = first(3); index < options; index += modules)
    if (index % 5 === 0) put(config, index, mkIf(conditionOf(index), mkOverride(90, valueOf(index, 3))));
  for (let index = first(4); index < options; index += modules)
    if (index % 7 === 0) put(config, index, mkForce(valueOf(index, 4)));
  for (let index = first(5); index < options; index += modules)
    if (index % 28 === 7) put(config, index, mkForce(mkBefore([`b${index}`])));
  return { name: `m${m}`, options: declared, config };
}

/** Puts something at the path of an option. */
function put(tree: Groups, index: number, what: unknown): void {
  (tree[groupOf(index)] ??= emptyRecord())[nameOf(index)] = what;
}

function conditionOf(index: number): boolean | ((config: unknown) => unknown) {
  const other = 4 * Math.floor(index / 4) - 4;
  if (other < 0) return true;
  const group = groupOf(other);
  const name = nameOf(other);
  return (config) => read(config, group, name);
}

const service = types
  .submodule({
    options: {
      enable: mkOption({ type: types.bool, default: false }),
      port: mkOption({ type: types.port, default: 80 }),
      user: mkOption({ type: types.str }),
      args: mkOption({ type: types.listOf(types.str), default: [] }),
      env: mkOption({ type: types.attrsOf(types.str), default: {} }),
      workDir: mkOption({ type: types.nullOr(types.path), default: null }),
      restart: mkOption({ type: types.enum(["no", "always", "on-failure"]), default: "no" }),
      limits: { cpu: mkOption({ type: types.ints.positive, default: 1 }) },
      after: mkOption({ type: types.listOf(types.str), default: [] }),
      command: mkOption({ type: types.str }),
    },
  })
  .withConfig({
    user: mkOptionDefault((_unit, { name }) => name),
    command: mkOptionDefault((unit, { name }) => `${name} --port ${unit.port} ${unit.args.join(" ")}`),
  });

/** Set B: one attrsOf submodule option with many entries of ten options. */
export function setB(entries: number): readonly Module[] {
  const modules: Module[] = [
    { name: "m0", options: { services: mkOption({ type: types.attrsOf(service), default: {} }) } },
  ];
  for (let start = 0; start < entries; start += 100) {
    const first: Record<string, unknown> = {};
    const second: Record<string, Record<string, unknown>> = {};
    for (let i = start; i < Math.min(entries, start + 100); i++) {
      first[`s${i}`] = {
        enable: i % 2 === 0,
        port: 1000 + (i % 5000),
        args: ["--a", `x${i}`],
        env: { FOO: `f${i}`, BAR: "b" },
      };
      const more: Record<string, unknown> = {};
      if (i % 3 === 0) {
        more["restart"] = mkForce("always");
        more["args"] = mkAfter(["--z"]);
      }
      if (i % 5 === 0 && i > 0) {
        const previous = `s${i - 1}`;
        more["after"] = mkIf((config) => read(config, "services", previous, "enable"), [previous]);
      }
      if (i % 4 === 0) more["workDir"] = mkDefault(`/var/lib/s${i}`);
      if (Object.keys(more).length > 0) second[`s${i}`] = more;
    }
    modules.push({ name: `m${modules.length}`, config: { services: first } });
    modules.push({ name: `m${modules.length}`, config: { services: second } });
  }
  return modules;
}

/** Set C: a chain in which each option needs the one before. */
export function setC(length: number): readonly Module[] {
  const modules: Module[] = [];
  for (let start = 0; start < length; start += 100) {
    const options: Record<string, unknown> = {};
    const config: Record<string, unknown> = {};
    for (let i = start; i < Math.min(length, start + 100); i++) {
      options[`c${i}`] = mkOption({ type: types.int });
      const previous = `c${i - 1}`;
      config[`c${i}`] = i === 0 ? 0 : (all: Record<string, number>) => (all[previous] as number) + 1;
    }
    modules.push({ name: `m${modules.length}`, options, config });
  }
  return modules;
}
