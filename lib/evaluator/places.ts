/** Places of definitions and declarations, down to line and column, and code frames around them. */
import { relative } from "node:path";
import { placeInData } from "./data-modules.ts";
import { type EvaluationError, type Failure, onLocate, type WrittenPart } from "./errors.ts";
import { type Location, pathOf } from "./location.ts";
import { callSiteOf } from "./module.ts";
import type { ModuleSource, Place } from "./module-source.ts";
import { sourceFiles } from "./source-files.ts";
import { findInSource, type SourcePosition } from "./source-text.ts";

const texts = new Map<string, string | undefined>();

/** The text of a source file, read once; undefined where it cannot be read. */
function textOf(file: string): string | undefined {
  if (!texts.has(file)) {
    let text: string | undefined;
    try {
      // Also of a file that is no UTF-8, which the message may be about.
      const bytes = sourceFiles()?.read(file);
      text = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    } catch {
      // A message without a code frame is better than an error about the error.
    }
    texts.set(file, text);
  }
  return texts.get(file);
}

/** Where a module writes an option: its definition or its declaration. */
export function locate(source: ModuleSource, part: WrittenPart, location: Location | undefined): Place | undefined {
  const { module } = source;
  if (module === undefined) return source.place;
  if (source.isData) return placeInData(module, pathOf(location).map(keyInData)) ?? source.place;
  const path = pathOf(location).filter((key) => !key.startsWith("[") && !key.startsWith("<"));
  const site = callSiteOf(module)?.position;
  if (site === undefined || source.file !== undefined) return source.place;
  const text = textOf(site.file);
  if (text === undefined) return site;
  // A default counts as a definition but is written among the options.
  const found = findPart(text, site, part, path) ?? findPart(text, site, "options", path);
  return found === undefined ? site : { file: site.file, ...found };
}

/** In a data file, an entry of a list has its number. */
function keyInData(key: string): string {
  const entry = /^\[definition \d+-entry (\d+)\]$/u.exec(key)?.[1];
  return entry === undefined ? key : String(Number(entry) - 1);
}

/** The longest written part of a path: inside a submodule only its inner part is written. */
function findPart(
  text: string,
  site: SourcePosition,
  part: WrittenPart,
  path: readonly string[],
): SourcePosition | undefined {
  let best: ReturnType<typeof findInSource>;
  for (let skipped = 0; skipped < path.length; skipped++) {
    const inner = path.slice(skipped);
    const found = findInSource(text, site, [part, ...inner]);
    if (found !== undefined && found.depth > (best?.depth ?? 1)) best = found;
    if (found?.depth === inner.length + 1) break;
  }
  return best?.position;
}

/** "modules/users.ts:12:5", relative to the working directory where that is shorter. */
export function showPlace(place: Place): string {
  const file = place.file.startsWith("/") ? shorter(place.file) : place.file;
  return place.line === undefined ? file : `${file}:${place.line}:${place.column ?? 1}`;
}

function shorter(file: string): string {
  const directory = sourceFiles()?.directory();
  if (directory === undefined) return file;
  const local = relative(directory, file);
  return local.startsWith("..") || local === "" ? file : local;
}

/** Every place that has to do with a failure, the most telling first. */
export function placesOf(failure: Failure): readonly Place[] {
  const places: (Place | undefined)[] = [];
  switch (failure.reason) {
    case "bad-data":
      for (const each of failure.problems) {
        places.push({
          file: each.file ?? failure.file,
          ...(each.line === undefined ? {} : { line: each.line, column: each.column ?? 1 }),
        });
      }
      break;
    case "cycle":
      for (const cell of failure.cells.slice(0, 10)) places.push(placeOfCell(cell));
      break;
    case "assertions":
      for (const { source, location } of failure.assertions)
        places.push(source === undefined ? undefined : locate(source, "config", location));
      break;
    case "missing-argument":
    case "unknown-read":
      places.push(failure.reader === undefined ? undefined : placeOfCell(failure.reader));
      break;
    case "thunk-threw":
      places.push(failure.source === undefined ? undefined : locate(failure.source, "config", failure.location));
      break;
    default:
      if ("definitions" in failure)
        for (const each of failure.definitions) places.push(locate(each.source, "config", failure.location));
      if ("declarations" in failure)
        for (const each of failure.declarations) places.push(locate(each, "options", failure.location));
      if ("source" in failure) places.push(failure.source?.place);
  }
  const seen = new Set<string>();
  return places.filter((place): place is Place => {
    if (place === undefined || seen.has(showPlace(place))) return false;
    seen.add(showPlace(place));
    return true;
  });
}

/** Where the option of a cell is defined, for cells that are options. */
function placeOfCell(cell: Location): Place | undefined {
  const definitions: unknown = Reflect.get(cell, "definitions");
  const first: unknown = Array.isArray(definitions) ? definitions[0] : undefined;
  if (typeof first === "object" && first !== null && "source" in first)
    return locate(first.source as ModuleSource, "config", cell);
  return undefined;
}

/** Columns of a code frame. */
const widest = 160;

/** The lines around a place with a mark below the column. */
export function codeFrame(place: Place): string | undefined {
  if (place.line === undefined) return undefined;
  const lines = textOf(place.file)?.split("\n");
  if (lines === undefined || place.line > lines.length) return undefined;
  const column = (place.column ?? 1) - 1;
  // Of a line that goes on for ever, the part around the column.
  const skipped = column > widest ? column - widest / 2 : 0;
  const first = Math.max(1, place.line - 2);
  const last = Math.min(lines.length, place.line + 2);
  const width = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number++) {
    shown.push(
      `${number === place.line ? ">" : " "} ${String(number).padStart(width)} | ${(lines[number - 1] ?? "").slice(skipped, skipped + widest)}`.trimEnd(),
    );
    if (number === place.line) shown.push(`  ${" ".repeat(width)} | ${" ".repeat(column - skipped)}^`);
  }
  return shown.join("\n");
}

/** The message with code frames of up to `frames` places. */
export function renderError(error: EvaluationError, frames = 3): string {
  const blocks = placesOf(error.failure)
    .slice(0, frames)
    .flatMap((place) => {
      const frame = codeFrame(place);
      return frame === undefined ? [] : [`${showPlace(place)}\n${frame}`];
    });
  return [error.message, ...blocks].join("\n\n");
}

onLocate((source, part, location) => {
  const place = locate(source, part, location);
  if (place === undefined) return undefined;
  return source.via === undefined ? showPlace(place) : `${showPlace(place)}, ${source.via}`;
});
