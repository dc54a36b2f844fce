import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { join } from "node:path";
import { Mirrors, type MirrorList } from "#lib/fetchers/mirrors.ts";
import { proxyRule } from "#lib/fetchers/proxies.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { readHostApt, type HostApt } from "./apt-host.ts";
import { InvalidMirror } from "./errors.ts";
import { debianArchiveOf, parseDeb822Sources, parseSourceList, type AptSource } from "./mirrors-sources.ts";

/** Mirrors as a flake's input names them. */
export type DebianMirrors = MirrorList;

/** The variable that replaces the host's configuration: base URLs, separated by commas or blanks. */
const mirrorVariable = "HELIOS_DEBIAN_MIRROR";

/**
 * All mirrors to try: those of $HELIOS_DEBIAN_MIRROR or, without it, those of the host's own apt
 * configuration (near, and allowed by the user's network); then those that the flake's input names.
 */
export const discoverMirrors = Effect.fnUntraced(function* (
  input: DebianMirrors,
  environment: NodeJS.ProcessEnv = process.env,
) {
  const variable = environment[mirrorVariable]?.trim() ?? "";
  const first = variable === "" ? yield* hostMirrors(environment) : yield* mirrorsOfVariable(variable);
  return {
    archives: [...new Set([...first.archives, ...input.archives.map(withoutSlash)])],
    security: [...new Set([...first.security, ...input.security.map(withoutSlash)])],
  } satisfies MirrorList;
});

/** The mirrors of `discoverMirrors` as the fetchers' service. */
export const mirrorsLayer = (input: DebianMirrors, environment: NodeJS.ProcessEnv = process.env) =>
  Layer.effect(Mirrors, discoverMirrors(input, environment));

/** The proxies that the host's apt configuration and the environment name. */
export const hostProxies = (environment: NodeJS.ProcessEnv = process.env) =>
  Effect.map(readHostApt(environment), ({ network }) => proxyRule(environment, network));

const mirrorsOfVariable = Effect.fnUntraced(function* (variable: string) {
  const uris = variable.split(/[\s,]+/).filter((uri) => uri !== "");
  const wrong = uris.find((uri) => !isHttp(uri));
  if (wrong !== undefined) return yield* new InvalidMirror({ mirror: wrong, origin: `$${mirrorVariable}` });
  const security = (uri: string): boolean => withoutSlash(uri).endsWith("-security");
  return {
    archives: uris.filter((uri) => !security(uri)).map(withoutSlash),
    security: uris.filter(security).map(withoutSlash),
  };
});

const hostMirrors = Effect.fnUntraced(function* (environment: NodeJS.ProcessEnv) {
  const fileSystem = yield* FileSystem;
  const host = yield* readHostApt(environment);
  return yield* Effect.promise(() => readHostMirrors(fileSystem, host));
});

/** Reads the mirrors out of the host's apt sources. What cannot be read or understood is passed over. */
export async function readHostMirrors(fileSystem: FileSystemShape, host: HostApt): Promise<MirrorList> {
  const archives: string[] = [];
  const security: string[] = [];
  for (const source of await readSources(fileSystem, host)) {
    for (const uri of source.uris) {
      for (const mirror of await expand(fileSystem, uri)) {
        const archive = debianArchiveOf(source, mirror);
        if (archive === "main") archives.push(mirror);
        if (archive === "security") security.push(mirror);
      }
    }
  }
  return { archives: [...new Set(archives)], security: [...new Set(security)] };
}

async function readSources(fileSystem: FileSystemShape, host: HostApt): Promise<readonly AptSource[]> {
  const read = async (file: string): Promise<string> => fileSystem.promises.readFile(file, "utf8").catch(() => "");
  const sources = [...parseSourceList(await read(host.sourceList))];
  const names = await fileSystem.promises.readdir(host.sourceParts).catch(() => []);
  for (const name of names.map(String).sort()) {
    if (name.endsWith(".list")) sources.push(...parseSourceList(await read(join(host.sourceParts, name))));
    if (name.endsWith(".sources")) sources.push(...parseDeb822Sources(await read(join(host.sourceParts, name))));
  }
  return sources;
}

/** A source's URI as base URLs: itself, or the lines of the mirror list that `mirror+file:` names. */
async function expand({ promises }: FileSystemShape, uri: string): Promise<readonly string[]> {
  const list = /^mirror\+file:(?:\/\/)?(\/.*?)\/?$/.exec(uri)?.[1];
  if (list === undefined) return isHttp(uri) ? [withoutSlash(uri)] : [];
  const text = await promises.readFile(list, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    // A line is a URI and, after a tab, options such as its priority.
    const mirror = line.trim().split(/\s/, 1)[0] ?? "";
    return isHttp(mirror) ? [withoutSlash(mirror)] : [];
  });
}

function isHttp(uri: string): boolean {
  return /^https?:\/\/[^/]/i.test(uri) && URL.canParse(uri);
}

function withoutSlash(uri: string): string {
  return uri.replace(/\/+$/, "");
}
