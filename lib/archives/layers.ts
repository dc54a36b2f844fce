import * as Predicate from "effect/Predicate";
import { normaliseEntryPath } from "./entry-path.ts";
import { InvalidLayer } from "./errors.ts";

/** What one layer of a root file system comes from. */
export type Layer = DebianLayer | TarLayer | EntriesLayer;

interface CommonLayer {
  /** Who wrote it, as conflicts and manifests call it. */
  readonly name: string;
  /** Every entry of this layer replaces what other layers wrote. */
  readonly force?: boolean;
}

interface ArchiveLayer extends CommonLayer {
  readonly path: string;
  /** Patterns of what to leave out; see `excluder`. */
  readonly exclude?: readonly string[];
}

/** The data archive of a `.deb`. Maintainer scripts never run. */
export interface DebianLayer extends ArchiveLayer {
  readonly kind: "deb";
}

/** A tar archive, plain or compressed. */
export interface TarLayer extends ArchiveLayer {
  readonly kind: "tar";
  /** The manifest that was written beside it, which saves hashing its files again and keeps their layers' names. */
  readonly manifest?: string;
}

/** Files, directories and links said one by one. */
export interface EntriesLayer extends CommonLayer {
  readonly kind: "entries";
  readonly entries: readonly LayerEntry[];
}

export interface LayerEntry {
  /** Normalised. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink";
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Of a file. */
  readonly content?: string;
  /** A file for a file, a tree for a directory. */
  readonly source?: string;
  /** Of a symbolic link; of a hard link, a file that comes earlier in the layer, normalised. */
  readonly target?: string;
  /** Extended attributes by name ("security.capability"). */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
  readonly force?: boolean;
}

/** How the outside world is reached while layers are decoded. */
export interface LayerContext {
  /** From the path that a layer names to the one on this disk. */
  readonly physical: (path: string) => string;
  /** Reads a layer's entries from the JSON file that it names instead of holding them. */
  readonly readText: (path: string) => Promise<string>;
}

/** Checks and decodes layers from JSON; an unknown key is an error, as it is everywhere else. */
export async function decodeLayers(json: unknown, context: LayerContext): Promise<readonly Layer[]> {
  if (!Array.isArray(json)) throw new InvalidLayer({ layer: "layers", reason: "expected a list of layers" });
  const layers: Layer[] = [];
  const names = new Set<string>();
  for (const [index, value] of json.entries()) {
    const layer = await decodeLayer(value, `number ${index + 1}`, context);
    if (names.has(layer.name)) {
      throw new InvalidLayer({
        layer: layer.name,
        reason: "another layer has the same name; conflicts could not be told apart",
      });
    }
    names.add(layer.name);
    layers.push(layer);
  }
  return layers;
}

async function decodeLayer(value: unknown, place: string, context: LayerContext): Promise<Layer> {
  const fields = new Fields(value, place);
  const name = fields.required("name", "string");
  const named = new Fields(value, name);
  const kind = named.required("kind", "string");
  const force = named.optional("force", "boolean");
  const common = { name, ...(force === undefined ? {} : { force }) };
  switch (kind) {
    case "deb":
    case "tar": {
      named.only(["name", "kind", "force", "path", "exclude", ...(kind === "tar" ? ["manifest"] : [])]);
      const path = context.physical(named.required("path", "string"));
      const exclude = named.strings("exclude");
      const archive = { ...common, path, ...(exclude === undefined ? {} : { exclude }) };
      if (kind === "deb") return { ...archive, kind };
      const manifest = named.optional("manifest", "string");
      return { ...archive, kind, ...(manifest === undefined ? {} : { manifest: context.physical(manifest) }) };
    }
    case "entries": {
      named.only(["name", "kind", "force", "path", "entries"]);
      const path = named.optional("path", "string");
      const list = path === undefined ? named.value("entries") : parseJson(await context.readText(path), name);
      if (!Array.isArray(list)) throw new InvalidLayer({ layer: name, reason: "expected 'entries' to be a list" });
      return { ...common, kind, entries: list.map((entry, index) => decodeEntry(entry, name, index, context)) };
    }
    default:
      throw new InvalidLayer({ layer: name, reason: `unknown kind '${kind}'; there are deb, tar and entries` });
  }
}

function decodeEntry(value: unknown, layer: string, index: number, context: LayerContext): LayerEntry {
  const path = new Fields(value, layer, `number ${index + 1}`).required("path", "string");
  const fields = new Fields(value, layer, path);
  fields.only(["path", "type", "mode", "uid", "gid", "content", "source", "target", "xattrs", "force"]);
  const type = fields.required("type", "string");
  if (type !== "file" && type !== "directory" && type !== "symlink" && type !== "hardlink") {
    throw fields.invalid(`unknown type '${type}'; there are file, directory, symlink and hardlink`);
  }
  const [content, source, target] = [
    fields.optional("content", "string"),
    fields.optional("source", "string"),
    fields.optional("target", "string"),
  ];
  if (type === "file" && (content === undefined) === (source === undefined)) {
    throw fields.invalid("a file has either 'content' or 'source'");
  }
  if (type === "directory" && content !== undefined) throw fields.invalid("a directory has no 'content'");
  const isLink = type === "symlink" || type === "hardlink";
  if (isLink && (target === undefined || target === "")) throw fields.invalid(`a ${type} needs a 'target'`);
  if (!isLink && target !== undefined) throw fields.invalid("only a link has a 'target'");
  if (type === "hardlink") fields.only(["path", "type", "target", "force"]);
  const entry: { -readonly [Key in keyof LayerEntry]: LayerEntry[Key] } = {
    path: normaliseEntryPath(layer, path.replace(/^\/+/, "")),
    type,
  };
  const [mode, uid, gid, force] = [
    fields.mode("mode"),
    fields.owner("uid"),
    fields.owner("gid"),
    fields.optional("force", "boolean"),
  ];
  if (mode !== undefined) entry.mode = mode;
  if (uid !== undefined) entry.uid = uid;
  if (gid !== undefined) entry.gid = gid;
  if (force !== undefined) entry.force = force;
  if (content !== undefined) entry.content = content;
  if (source !== undefined) entry.source = context.physical(source);
  if (target !== undefined) {
    entry.target = type === "hardlink" ? normaliseEntryPath(layer, target.replace(/^\/+/, "")) : target;
  }
  const xattrs = fields.attributes("xattrs");
  if (xattrs !== undefined) entry.xattrs = xattrs;
  return entry;
}

/** One JSON object under inspection. */
class Fields {
  readonly #value: { readonly [key: string]: unknown };
  readonly #layer: string;
  readonly #entry: string | undefined;

  constructor(value: unknown, layer: string, entry?: string) {
    this.#layer = layer;
    this.#entry = entry;
    if (!Predicate.isReadonlyObject(value)) throw this.invalid("expected an object");
    this.#value = value as { readonly [key: string]: unknown };
  }

  value(key: string): unknown {
    return this.#value[key];
  }

  required(key: string, type: "string"): string {
    const value = this.optional(key, type);
    if (value === undefined) throw this.invalid(`'${key}' is missing`);
    return value;
  }

  optional(key: string, type: "string"): string | undefined;
  optional(key: string, type: "boolean"): boolean | undefined;
  optional(key: string, type: string): unknown {
    const value = this.#value[key];
    if (value === undefined || value === null) return undefined;
    // oxlint-disable-next-line valid-typeof -- the overloads name the types
    if (typeof value !== type) throw this.invalid(`'${key}' is not a ${type}`);
    return value;
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.#value[key];
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value) || !value.every(Predicate.isString))
      throw this.invalid(`'${key}' is not a list of strings`);
    return value;
  }

  mode(key: string): number | undefined {
    const text = this.optional(key, "string");
    if (text === undefined) return undefined;
    if (!/^[0-7]{3,4}$/.test(text)) throw this.invalid(`'${key}' is '${text}', not an octal mode such as "0644"`);
    return Number.parseInt(text, 8);
  }

  owner(key: string): number | undefined {
    const value = this.#value[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 0xfffffffe) {
      throw this.invalid(`'${key}' is not a numeric id`);
    }
    return value;
  }

  /** An object of hexadecimal strings, as bytes sorted by name. */
  attributes(key: string): ReadonlyMap<string, Buffer> | undefined {
    const value = this.#value[key];
    if (value === undefined || value === null) return undefined;
    if (!Predicate.isReadonlyObject(value)) throw this.invalid(`'${key}' is not an object`);
    return new Map(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, bytes]) => {
          if (typeof bytes !== "string" || !/^([0-9a-f]{2})*$/.test(bytes)) {
            throw this.invalid(`'${name}' in '${key}' is not bytes in hexadecimal`);
          }
          return [name, Buffer.from(bytes, "hex")];
        }),
    );
  }

  only(keys: readonly string[]): void {
    const unknown = Object.keys(this.#value).find((key) => !keys.includes(key));
    if (unknown !== undefined) throw this.invalid(`unknown key '${unknown}'; there are ${keys.join(", ")}`);
  }

  invalid(reason: string): InvalidLayer {
    return new InvalidLayer({
      layer: this.#layer,
      reason,
      ...(this.#entry === undefined ? {} : { entry: this.#entry }),
    });
  }
}

function parseJson(text: string, layer: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidLayer({
      layer,
      reason: `its entries are not JSON: ${cause instanceof Error ? cause.message : ""}`,
    });
  }
}
