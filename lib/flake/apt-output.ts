import type { Architecture, LockedPackage } from "./lock.ts";

/** A line of apt's answer could not be understood. */
export class UnreadableAnswer extends Error {}

const poolFile = /^pool\/(?:[A-Za-z0-9][A-Za-z0-9+.~_-]*\/)+[A-Za-z0-9][A-Za-z0-9+.~_-]*\.deb$/;

/**
 * Parses what `apt-get install --print-uris` prints, one package a line:
 * `'http://mirror.example/debian/pool/…/x_1%2b2_amd64.deb' x_1+2_amd64.deb 1234 SHA256:…`.
 * Throws UnreadableAnswer.
 */
export function parsePrintedUris(text: string, mirrors: readonly string[]): readonly LockedPackage[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("'"))
    .map((line) => parsePrintedUri(line, mirrors));
}

function parsePrintedUri(line: string, mirrors: readonly string[]): LockedPackage {
  const match = /^'([^']+)' (\S+)_(\S+)_(amd64|arm64|all)\.deb ([1-9][0-9]*) SHA256:([0-9a-f]{64})$/.exec(line.trim());
  const [, uri, name, version, architecture, size, sha256] = match ?? [];
  if (uri === undefined || name === undefined || version === undefined || sha256 === undefined) {
    throw new UnreadableAnswer(`no package, size and SHA-256 in: ${line}`);
  }
  const mirror = mirrors.find((base) => uri.startsWith(`${base}/`) || uri.startsWith(`${withoutPassword(base)}/`));
  const path =
    mirror === undefined
      ? ""
      : decodeURIComponent(uri.slice(uri.indexOf("/pool/", withoutPassword(mirror).length) + 1));
  if (!poolFile.test(path)) throw new UnreadableAnswer(`not a file in the archive's pool: ${uri}`);
  return {
    name,
    // In file names apt escapes the colon after an epoch.
    version: decodeURIComponent(version),
    architecture: architecture as Architecture | "all",
    path,
    size: Number(size),
    sha256,
  };
}

/** A mirror's URL as it may be shown: without user name and password. */
export function withoutPassword(mirror: string): string {
  return mirror.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

/** The errors and then the warnings of apt's standard error, without the marks of severity. */
export function complaints(stderr: string): readonly string[] {
  const marked = (mark: string): readonly string[] =>
    stderr.split("\n").flatMap((line) => (line.startsWith(mark) ? [line.slice(mark.length).trim()] : []));
  return [...marked("E: "), ...marked("W: ")];
}

/** Whether an update failed because what the mirror serves is not signed by the keys in the keyring. */
export function isUntrusted(text: string): boolean {
  return /NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|not signed|invalid signature|Clearsigned file isn't valid|signature verification failed/i.test(
    text,
  );
}

/** The program that apt misses for checking signatures, if that is what went wrong. */
export function missingVerifier(text: string): string | undefined {
  return /gpgv[^\n]*(?:required for verification|not found|seems not to be installed)/i.test(text) ? "gpgv" : undefined;
}

/** The section of a failed `apt-get install -s` that names unmet dependencies, packages to be removed and errors. */
export function explainConflict(stdout: string, stderr: string): readonly string[] {
  const lines = stdout.split("\n");
  const start = lines.findIndex((line) => line.startsWith("The following packages have unmet dependencies"));
  const removed = lines.findIndex((line) => line.startsWith("The following packages will be REMOVED"));
  const indented = (from: number): readonly string[] => {
    if (from === -1) return [];
    const end = lines.findIndex((line, index) => index > from && !line.startsWith(" "));
    return lines.slice(from + 1, end === -1 ? undefined : end).map((line) => line.trim());
  };
  const unmet = indented(start);
  const removals = indented(removed).map((names) => `apt would have to remove: ${names}`);
  const found = [...unmet, ...removals];
  return found.length > 0 ? found : complaints(stderr);
}

/** Stanzas of Debian control data (`apt-cache show`, status files), field names as written. */
export function parseStanzas(text: string): readonly ReadonlyMap<string, string>[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const fields = new Map<string, string>();
    for (const match of paragraph.matchAll(/^([A-Za-z0-9-]+): ?(.*)$/gm)) fields.set(match[1] ?? "", match[2] ?? "");
    return fields.size === 0 ? [] : [fields];
  });
}
