import * as Effect from "effect/Effect";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { readArMembers } from "./ar.ts";
import type { ArMember } from "./ar.ts";
import { StreamSource } from "./byte-source.ts";
import { withDecompressed } from "./decompress.ts";
import type { CompressedPart, Compression } from "./decompress.ts";
import { attempt, MalformedArchive, UnsupportedArchive } from "./errors.ts";
import type { ArchiveError } from "./errors.ts";
import { TarReader } from "./tar-reader.ts";

/** An opened `.deb` (deb(5)): where its two tar archives lie. */
export interface DebianPackage {
  readonly path: string;
  readonly control: CompressedPart;
  readonly data: CompressedPart;
}

/** Fields of a control file: names as written, continuation lines joined by newlines. */
export type ControlFields = ReadonlyMap<string, string>;

/** Finds the members of a Debian package. Reads only their headers. */
export const openDebianPackage = (path: string): Effect.Effect<DebianPackage, ArchiveError, FileSystem> =>
  Effect.flatMap(FileSystem, (fs) =>
    attempt(path, async () => {
      const file = await fs.promises.open(path, "r");
      try {
        const { size } = await file.stat();
        const members = await readArMembers(path, file, size);
        const version = Buffer.alloc(4);
        const first = members[0];
        if (first?.name !== "debian-binary") throw notDebian(path, "the first member is not 'debian-binary'");
        await file.read(version, 0, 4, first.start);
        if (!version.toString("latin1").startsWith("2.")) {
          throw new UnsupportedArchive({ archive: path, feature: "a Debian package format other than 2.x" });
        }
        return {
          path,
          control: member(path, members, "control.tar", ["dpkg-deb", "--ctrl-tarfile", path]),
          data: member(path, members, "data.tar", ["dpkg-deb", "--fsys-tarfile", path]),
        };
      } finally {
        await file.close();
      }
    }),
  );

/** Reads `control` of an opened package: Package, Version, Architecture, Depends … */
export const readControl = (
  debian: DebianPackage,
): Effect.Effect<ControlFields, ArchiveError, FileSystem | Processes> =>
  withDecompressed(
    debian.control,
    async (bytes) => {
      const reader = new TarReader(debian.path, new StreamSource(bytes));
      let fields: ControlFields | undefined;
      for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
        if (entry.path !== "control" || entry.type !== "file") continue;
        const parts: Buffer[] = [];
        for (let part = await reader.chunk(); part.length > 0; part = await reader.chunk()) {
          parts.push(Buffer.from(part));
        }
        fields = parseControl(Buffer.concat(parts).toString("utf8"));
      }
      if (fields === undefined) throw notDebian(debian.path, "the control archive has no file 'control'");
      return fields;
    },
    // Control archives hold scripts and checksums; the largest in Debian are a few megabytes.
    64 << 20,
  );

/** Parses one stanza of Debian's control format (deb822(5)). */
export function parseControl(text: string): ControlFields {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("#") || line.trim() === "") continue;
    if (/^[ \t]/.test(line)) {
      if (current !== undefined) fields.set(current, `${fields.get(current) ?? ""}\n${line.slice(1)}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    current = line.slice(0, colon);
    fields.set(current, line.slice(colon + 1).trim());
  }
  return fields;
}

const suffixes: ReadonlyMap<string, Compression> = new Map([
  ["", "none"],
  [".gz", "gzip"],
  [".xz", "xz"],
  [".zst", "zstd"],
]);

function member(path: string, members: readonly ArMember[], stem: string, fallback: readonly string[]): CompressedPart {
  const found = members.find((member) => member.name.startsWith(stem));
  if (found === undefined) throw notDebian(path, `member '${stem}' is missing`);
  const compression = suffixes.get(found.name.slice(stem.length));
  if (compression === undefined) throw new UnsupportedArchive({ archive: path, feature: `member '${found.name}'` });
  return { path, start: found.start, size: found.size, compression, fallback };
}

function notDebian(archive: string, reason: string): MalformedArchive {
  return new MalformedArchive({ archive, format: "deb", offset: 0, reason });
}
