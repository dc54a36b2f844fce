/** Paths in the image that a tree writes more than once. */
import { basename } from "node:path";
import { showPlace } from "#lib/evaluator/index.ts";
import { mergedPath } from "../image-path.ts";
import { type GaiaTree, type KeyPath, type Table, textOf } from "./tree.ts";

/** One that writes a path, in the order in which Gaia does it. */
interface Writer {
  readonly at: KeyPath;
  readonly dst: string;
  /** Makes it write no more, because of a later writer. */
  readonly yield: (to: Writer) => void;
  /** The local file that it copies. */
  readonly src: string | undefined;
  readonly isUnit: boolean;
}

/** In Gaia the last one wins without a word. */
export function settleWriters(tree: GaiaTree): void {
  const removed = new Set<Table>();
  const last = new Map<string, Writer>();
  for (const writer of writers(tree, removed)) {
    const path = mergedPath(writer.dst);
    const before = last.get(path);
    last.set(path, writer);
    if (before === undefined) continue;
    const place = tree.placeOf(writer.at);
    const where = place === undefined ? "" : ` (${showPlace(place)})`;
    tree.tolerate(
      {
        path: before.at,
        problem: `'${writer.dst}' is written by ${writer.at.join(".")} as well${where}`,
        suggestions: [],
      },
      "the last one counts",
    );
    if (tree.legacy) before.yield(writer);
  }
  if (removed.size > 0) removeAll(tree.config, removed);
}

function writers(tree: GaiaTree, removed: Set<Table>): readonly Writer[] {
  const remove = (table: Table) => () => {
    removed.add(table);
  };
  const written = (at: KeyPath, table: Table, key: string): readonly Writer[] => {
    const dst = textOf(table[key]);
    return dst === undefined ? [] : [{ at, dst, yield: remove(table), src: textOf(table["src"]), isUnit: false }];
  };
  return [
    ...tree.tables("program", "install", "items").flatMap(([at, item]) =>
      // Conditions may choose between items.
      item["enabled_if"] === undefined && item["disabled_if"] === undefined ? written(at, item, "dest") : [],
    ),
    ...tree.tables("stage", "files").flatMap(([at, file]) => written(at, file, "dst")),
    ...tree.tables("stage", "env", "files").flatMap(([at, file]) => written(at, file, "path")),
    ...tree.entries("stage", "services", "units").flatMap(([key, unit]) => {
      if (unit["enabled"] === false || tree.value(["stage", "services", "enabled"]) === false) return [];
      const at = ["stage", "services", "units", key];
      const src = textOf(unit["src"]);
      return [
        ...(src === undefined ? [] : [unitWriter(at, unit, src)]),
        ...tree.tables(...at, "assets").flatMap(([path, asset]) => written(path, asset, "dst")),
      ];
    }),
  ];
}

/** A unit that loses its file to a later copy takes that copy for its own: it still has its links. */
function unitWriter(at: KeyPath, unit: Table, src: string): Writer {
  return {
    at,
    dst: `/etc/systemd/system/${textOf(unit["unit"]) ?? basename(src)}`,
    src,
    isUnit: true,
    yield: (to) => {
      // Two units of one name are one unit already.
      if (to.src === undefined || to.isUnit) return;
      unit["src"] = to.src;
      to.yield(to);
    },
  };
}

/** Removes tables from the lists that they stand in. */
function removeAll(value: unknown, removed: ReadonlySet<unknown>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (Array.isArray(each)) {
      Reflect.set(
        value,
        key,
        each.filter((element) => !removed.has(element)),
      );
    }
    removeAll(Reflect.get(value, key), removed);
  }
}
