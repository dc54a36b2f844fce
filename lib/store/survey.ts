import { parseStorePath, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { Layout } from "./layout.ts";
import { parsePathInfo, type PathInfo } from "./path-info.ts";
import { parseRealisation, type Realisation } from "./realisation.ts";
import { type FileVersion, readSmallFile } from "./small-files.ts";
import { Slices, treeFiles } from "./tree-files.ts";

/** A valid path and when it became so. */
export interface RegisteredPath {
  readonly info: PathInfo;
  readonly registeredMs: number;
}

/** Everything that is in a store at one moment. */
export interface Survey {
  readonly valid: ReadonlyMap<StorePath, RegisteredPath>;
  /** What is known of paths that a repair made invalid; those that came back are among them. */
  readonly withdrawn: ReadonlyMap<StorePath, PathInfo>;
  /** Files in the info directory that cannot be read as one. */
  readonly damagedInfos: readonly string[];
  /** Names in the store directory, valid or not. */
  readonly objects: ReadonlySet<string>;
}

/** Reads all info files and the names in the store directory. */
export async function surveyStore(fs: FileSystemShape, layout: Layout, signal?: AbortSignal): Promise<Survey> {
  const registered = await readInfos(fs, layout.info, await fs.promises.readdir(layout.info), signal);
  const withdrawn = await readInfos(fs, layout.withdrawn, await withdrawnNames(fs, layout), signal);
  return {
    valid: registered.infos,
    withdrawn: new Map([...withdrawn.infos].map(([path, { info }]) => [path, info])),
    damagedInfos: registered.damaged,
    objects: new Set(await fs.promises.readdir(layout.objects)),
  };
}

/** The names of the files that say what is known of invalid paths. A read-only store of an older version has none. */
export async function withdrawnNames(fs: FileSystemShape, layout: Layout): Promise<string[]> {
  try {
    return await fs.promises.readdir(layout.withdrawn);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return [];
    throw cause;
  }
}

async function readInfos(
  fs: FileSystemShape,
  directory: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ readonly infos: ReadonlyMap<StorePath, RegisteredPath>; readonly damaged: readonly string[] }> {
  const files = treeFiles(fs);
  const slices = new Slices(signal);
  const infos = new Map<StorePath, RegisteredPath>();
  const damaged: string[] = [];
  for (const name of names) {
    const pause = slices.next();
    if (pause !== undefined) await pause;
    const file = readSmallFile(files, `${directory}/${name}`);
    if (file === undefined) continue;
    const info = parsePathInfo(file.text);
    if (info === undefined || `${storeDirectory}/${name}` !== `${info.path}.json`) damaged.push(name);
    else infos.set(info.path, { info, registeredMs: file.mtimeMs });
  }
  return { infos, damaged };
}

/** The file of a realisation; a damaged one comes without its content. */
export interface SurveyedRealisation {
  readonly file: string;
  readonly version: FileVersion;
  readonly realisation: Realisation | undefined;
}

/** Reads all realisations. */
export async function* surveyRealisations(
  fs: FileSystemShape,
  layout: Layout,
  signal?: AbortSignal,
): AsyncGenerator<SurveyedRealisation> {
  const files = treeFiles(fs);
  const slices = new Slices(signal);
  for (const name of await fs.promises.readdir(layout.realisations)) {
    const pause = slices.next();
    if (pause !== undefined) await pause;
    const file = `${layout.realisations}/${name}`;
    const content = readSmallFile(files, file);
    if (content !== undefined) yield { file, version: content, realisation: parseRealisation(content.text) };
  }
}

/** The paths that running processes rely on. */
export async function usedPaths(fs: FileSystemShape, layout: Layout): Promise<Set<StorePath>> {
  const used = new Set<StorePath>();
  for (const name of await fs.promises.readdir(layout.users)) {
    const file = readSmallFile(treeFiles(fs), `${layout.users}/${name}`);
    for (const line of file?.text.split("\n") ?? []) {
      if (line === "") continue;
      try {
        used.add(parseStorePath(`${storeDirectory}/${line}`));
      } catch {
        // A line that is being written: its writer looks at the store only after this collection.
      }
    }
  }
  return used;
}
