import { reasonOf } from "#lib/platform/reason.ts";
import { JsonFault, parseJson, type JsonNode } from "./lock-json.ts";
import {
  normalizeRequest,
  sameRequest,
  type Architecture,
  type EnvironmentRequest,
  type Lock,
  type LockedEnvironment,
  type LockedPackage,
  type Pocket,
} from "./lock.ts";

/** The only format so far. */
export const lockVersion = 1;

/** A pool path as Debian writes them; it can neither leave the mirror's directory nor carry a query. */
const poolPath = /^pool\/(?:[A-Za-z0-9][A-Za-z0-9+.~_-]*\/)+[A-Za-z0-9][A-Za-z0-9+.~_-]*\.deb$/;
const packageName = /^[a-z0-9][a-z0-9+.-]+$/;
const packageVersion = /^(?:[0-9]+:)?[0-9][A-Za-z0-9.+~-]*$/;
const sha256 = /^[0-9a-f]{64}$/;

/** Decodes the text of a lock file. Throws JsonFault with the offset of what is wrong. */
export function decodeLock(text: string): Lock {
  const root = members(parseJson(text), "the lock file", ["version"], ["environments", "packages"]);
  const version = root["version"];
  if (version?.kind !== "number" || version.value !== lockVersion) {
    throw new JsonFault(version?.offset ?? 0, `the lock file's version is not ${lockVersion}`);
  }
  const packages = new Map<string, LockedPackage>();
  for (const [path, entry] of table(root["packages"], "packages")) packages.set(path, decodePackage(path, entry));
  const environments = new Map<string, LockedEnvironment>();
  for (const [name, entry] of table(root["environments"], "environments")) {
    environments.set(name, decodeEnvironment(name, entry.value, packages));
  }
  return { environments, packages };
}

function decodePackage(path: string, entry: { readonly offset: number; readonly value: JsonNode }): LockedPackage {
  if (!poolPath.test(path))
    throw new JsonFault(entry.offset, `${JSON.stringify(path)} is not the path of a .deb file below 'pool/'`);
  const fields = members(entry.value, `the package ${path}`, ["name", "version", "architecture", "size", "sha256"], []);
  const size = required(fields, "size");
  if (size.kind !== "number" || !Number.isSafeInteger(size.value) || size.value <= 0) {
    throw new JsonFault(size.offset, "a size is a positive whole number of bytes");
  }
  return {
    name: matching(required(fields, "name"), packageName, "the name of a Debian package"),
    version: matching(required(fields, "version"), packageVersion, "a Debian version"),
    architecture: oneOf(required(fields, "architecture"), ["amd64", "arm64", "all"]),
    path,
    size: size.value,
    sha256: matching(required(fields, "sha256"), sha256, "64 lower-case hexadecimal digits"),
  };
}

function decodeEnvironment(name: string, node: JsonNode, known: ReadonlyMap<string, LockedPackage>): LockedEnvironment {
  const fields = members(node, `the environment ${name}`, ["request", "packages"], []);
  const packages = list(required(fields, "packages")).map((item) => {
    const path = string(item);
    if (!known.has(path)) throw new JsonFault(item.offset, `${JSON.stringify(path)} has no entry in 'packages'`);
    return path;
  });
  return { request: decodeRequest(name, required(fields, "request")), packages: [...new Set(packages)].sort() };
}

function decodeRequest(name: string, node: JsonNode): EnvironmentRequest {
  const fields = members(
    node,
    `the request of ${name}`,
    ["suite", "components", "architectures", "packages"],
    ["excluded", "essential", "pockets"],
  );
  const strings = (key: string): readonly string[] => list(required(fields, key)).map(string);
  const essential = fields["essential"];
  if (essential !== undefined && essential.kind !== "boolean")
    throw new JsonFault(essential.offset, "'essential' is true or false");
  const pockets = fields["pockets"];
  const request: EnvironmentRequest = {
    name,
    suite: oneOf(required(fields, "suite"), ["trixie"]),
    components: strings("components"),
    architectures: list(required(fields, "architectures")).map((item) => oneOf<Architecture>(item, ["amd64", "arm64"])),
    packages: strings("packages"),
    ...(fields["excluded"] === undefined ? {} : { excluded: strings("excluded") }),
    ...(essential === undefined ? {} : { essential: essential.value }),
    ...(pockets === undefined
      ? {}
      : { pockets: list(pockets).map((item) => oneOf<Pocket>(item, ["security", "backports"])) }),
  };
  try {
    const normal = normalizeRequest(request);
    if (sameRequest(normal, request)) return normal;
  } catch (cause) {
    throw new JsonFault(node.offset, reasonOf(cause));
  }
  throw new JsonFault(node.offset, `the request of ${name} is not sorted`);
}

type Fields = Readonly<Record<string, JsonNode | undefined>>;

/** The members of an object, none of them unknown and none of the needed ones missing. */
function members(node: JsonNode, what: string, needed: readonly string[], optional: readonly string[]): Fields {
  if (node.kind !== "object") throw new JsonFault(node.offset, `${what} is not an object`);
  const fields: Record<string, JsonNode | undefined> = Object.create(null);
  for (const [key, entry] of node.entries) {
    if (!needed.includes(key) && !optional.includes(key)) {
      throw new JsonFault(entry.offset, `${what} has the unknown key ${JSON.stringify(key)}`);
    }
    fields[key] = entry.value;
  }
  const missing = needed.find((key) => fields[key] === undefined);
  if (missing !== undefined) throw new JsonFault(node.offset, `${what} has no ${JSON.stringify(missing)}`);
  return fields;
}

/** A member whose presence `members` has checked. */
function required(fields: Fields, key: string): JsonNode {
  const node = fields[key];
  if (node === undefined) throw new JsonFault(0, `${JSON.stringify(key)} is missing`);
  return node;
}

function table(node: JsonNode | undefined, what: string) {
  if (node === undefined) return new Map<string, never>();
  if (node.kind !== "object") throw new JsonFault(node.offset, `'${what}' is not an object`);
  return node.entries;
}

function list(node: JsonNode): readonly JsonNode[] {
  if (node.kind !== "array") throw new JsonFault(node.offset, "expected a list");
  return node.items;
}

function string(node: JsonNode): string {
  if (node.kind !== "string") throw new JsonFault(node.offset, "expected a string");
  return node.value;
}

function matching(node: JsonNode, pattern: RegExp, what: string): string {
  const value = string(node);
  if (!pattern.test(value)) throw new JsonFault(node.offset, `${JSON.stringify(value)} is not ${what}`);
  return value;
}

function oneOf<T extends string>(node: JsonNode, allowed: readonly T[]): T {
  const value = string(node);
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined)
    throw new JsonFault(node.offset, `${JSON.stringify(value)} is none of ${allowed.join(", ")}`);
  return found;
}
