import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import type { EnvironmentRequest } from "#lib/flake/lock.ts";
import { mkDerivation } from "../mk-derivation.ts";

/** How an archive is packed. */
export type ArchiveCompression = "none" | "gzip" | "xz" | "zstd";

/** An image, packed to be handed on. */
export interface ArchiveOptions {
  /** Of the system. */
  readonly name: string;
  readonly image: Derivation;
  /** The image's own name. */
  readonly fileName: string;
  /** What is packed: the image alone as it is, a tar of it, or a tar of it with its manifest and report. */
  readonly content: "image" | "tar-of-image" | "tar-of-all";
  readonly compression: ArchiveCompression;
  /** Of the archive, without the suffixes that content and compression give it. */
  readonly archiveName: string;
}

/** Packs archives; asked for only where the image's own tools lack the compressor. */
export const archiveToolsRequest: EnvironmentRequest = {
  name: "archive-tools",
  suite: "trixie",
  components: ["main"],
  architectures: ["amd64"],
  packages: ["bash", "coreutils", "tar", "zstd"],
};

const suffixes: Readonly<Record<ArchiveCompression, string>> = { none: "", gzip: ".gz", xz: ".xz", zstd: ".zst" };

const script = source({ path: join(import.meta.dirname, "archive.sh") });

/** A directory with the archive, and its hash as `sha256sum` checks it. The same bits each time, on however many processors. */
export function archive(tools: (compression: ArchiveCompression) => Derivation, options: ArchiveOptions): Derivation {
  const { name, image, fileName, content, compression, archiveName } = options;
  const suffix = `${content === "image" ? ".img" : ".tar"}${suffixes[compression]}`;
  return mkDerivation({
    name: `${name}-archive`,
    environment: tools(compression),
    script,
    env: { image, fileName, content, compression, archive: `${archiveName}${suffix}` },
  });
}
