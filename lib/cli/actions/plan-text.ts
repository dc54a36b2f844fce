import type { TaskState } from "#lib/build/inspect/task-plan.ts";
import { count, formatBytes } from "../printers/format.ts";
import type { ShownItem } from "./shown-item.ts";

/** A task as it is printed. */
export interface ShownTask {
  readonly id: string;
  readonly module: string;
  readonly phase: string;
  readonly label: string;
  /** The tasks that it needs. */
  readonly after: readonly string[];
  readonly state: TaskState;
  readonly todo: readonly PlannedItem[];
}

/** What would be done about a derivation, and why. */
export interface PlannedItem extends ShownItem {
  readonly reasons: readonly string[];
}

/** One line for each task, and below it what would be built, and why. */
export function planLines(tasks: readonly ShownTask[]): string {
  const width = (read: (task: ShownTask) => string) => Math.max(0, ...tasks.map((task) => read(task).length));
  const [ids, states] = [width(({ id }) => id), width(({ state }) => state)];
  const lines = tasks.flatMap(({ id, label, state, todo }, index) => [
    `${String(index + 1).padStart(2)}. ${id.padEnd(ids)}  ${state.padEnd(states)}  ${label}`,
    ...todo.filter(({ kind }) => kind === "build").flatMap(itemLines),
    ...cacheLines(todo),
    ...fetchLines(todo),
  ]);
  return [...lines, summary(tasks.flatMap(({ todo }) => todo)), ""].join("\n");
}

const mostReasons = 3;

function itemLines({ name, reasons }: PlannedItem): string[] {
  const shown = reasons.slice(0, mostReasons);
  const more = reasons.length > mostReasons ? [`and ${reasons.length - mostReasons} more`] : [];
  return [`      ${name}: ${[...shown, ...more].join("; ")}`];
}

/** A cache is named with what it has, and not why it is needed: nobody waits for that. */
function cacheLines(todo: readonly ShownItem[]): string[] {
  const cached = todo.filter(({ kind }) => kind === "cache");
  const caches = [...new Set(cached.flatMap(({ caches = [] }) => caches))];
  return caches.map((cache) => {
    const items = cached.filter(({ caches = [] }) => caches.includes(cache));
    const names = items.slice(0, mostReasons).map(({ name }) => name);
    const more = items.length > mostReasons ? ` and ${items.length - mostReasons} more` : "";
    return `      cache ${cache} has ${names.join(", ")}${more}, ${formatBytes(totalBytes(items))}`;
  });
}

function fetchLines(todo: readonly ShownItem[]): string[] {
  const fetches = todo.filter(({ kind }) => kind === "fetch");
  return fetches.length === 0
    ? []
    : [`      ${count(fetches.length, "download")}, ${formatBytes(totalBytes(fetches))}`];
}

function summary(todo: readonly ShownItem[]): string {
  if (todo.length === 0) return "Nothing to do: everything is in the store.";
  const of = (wanted: ShownItem["kind"]) => todo.filter(({ kind }) => kind === wanted);
  const [builds, fetches, cached] = [of("build"), of("fetch"), of("cache")];
  const parts = [
    ...(builds.length > 0 || cached.length === 0 ? [`build ${count(builds.length, "derivation")}`] : []),
    ...(cached.length > 0
      ? [`take ${count(cached.length, "result")} from caches (${formatBytes(totalBytes(cached))})`]
      : []),
    ...(fetches.length > 0 ? [`download ${formatBytes(totalBytes(fetches))}`] : []),
  ];
  const listed = parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts.join("");
  const certain = builds.length === 0 && cached.length > 0;
  return `Would ${listed}${certain ? "." : uncertainty(cached.length > 0)}`;
}

/** What no plan can know before an input is there. */
const uncertainty = (asked: boolean): string =>
  asked
    ? ", unless an input turns out the same as before, or as in a cache."
    : ", unless an input turns out the same as before.";

const totalBytes = (items: readonly ShownItem[]): number => items.reduce((total, { bytes = 0 }) => total + bytes, 0);

const colours: Readonly<Record<TaskState, string>> = {
  build: "orange",
  fetch: "lightblue",
  cached: "palegreen",
  "not needed": "white",
  evaluated: "palegreen",
};

/** The tasks as a graph in the language of Graphviz, each edge from what is needed to what needs it. */
export function planGraph(tasks: readonly ShownTask[]): string {
  return [
    "digraph plan {",
    "  rankdir=LR;",
    "  node [shape=box, style=filled];",
    ...tasks.map(
      ({ id, label, module, phase, state }) =>
        `  ${quoted(id)} [label=${quoted(`${label}\n${module}:${phase}\n${state}`)}, fillcolor=${colours[state]}];`,
    ),
    ...tasks.flatMap(({ id, after }) => after.map((needed) => `  ${quoted(needed)} -> ${quoted(id)};`)),
    "}",
    "",
  ].join("\n");
}

/** Only quotation marks and backslashes mean something in a string of Graphviz. */
const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
