import { type Derivation, derivation } from "#lib/derivations/derivation.ts";
import type { Entry } from "./rootfs/entry.ts";

/**
 * Part of the derivations of builders that run inside the engine: their code is
 * no input of a build. Whoever changes what such a builder makes of the same
 * input raises its number here, and everything that it made is made again.
 */
const builderVersions = { mergeArchives: 2, unpackDebian: 1 } as const;

/** One layer of a root file system, as `builtin:merge-archives` takes it. Store paths stand in strings. */
export type ArchiveLayer =
  | { readonly name: string; readonly kind: "deb"; readonly path: string; readonly exclude: readonly string[] }
  | ({ readonly kind: "tar"; readonly path: string; readonly manifest?: string } & NamedLayer)
  | ({ readonly kind: "entries"; readonly entries: readonly Entry[] } & NamedLayer)
  /** The entries as JSON in a file. */
  | ({ readonly kind: "entries"; readonly path: string } & NamedLayer);

interface NamedLayer {
  readonly name: string;
  /** Whether it wins over layers below it. */
  readonly force?: boolean;
}

/** Merges layers, lowest first, into one tar; its output `manifest` says path by path what is in it and from where. */
export function mergeArchives(name: string, layers: readonly ArchiveLayer[]): Derivation {
  return derivation({
    name: `${name}.tar`,
    builder: "builtin:merge-archives",
    outputs: ["out", "manifest"],
    env: { layers: JSON.stringify(layers), builderVersion: builderVersions.mergeArchives },
  });
}

/** Unpacks `.deb` files into a tool root, and makes links in it: path → target. */
export function unpackDebian(
  name: string,
  packages: readonly Derivation[],
  links: Readonly<Record<string, string>>,
): Derivation {
  return derivation({
    name,
    builder: "builtin:unpack-debian",
    env: { packages, links: JSON.stringify(links), builderVersion: builderVersions.unpackDebian },
  });
}
