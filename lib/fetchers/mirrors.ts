import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { NoMirror } from "./errors.ts";

/** Base URLs of Debian's archives, without a slash at the end, in the order in which they are tried. */
export interface MirrorList {
  /** The main archive: "pool/main/…" and the other components. */
  readonly archives: readonly string[];
  /** The security archive: "pool/updates/…". */
  readonly security: readonly string[];
}

/** Where pool paths are fetched from. The lock names no hosts, so this is the only place that does. */
export class Mirrors extends Context.Service<Mirrors, MirrorList>()("helios/Mirrors") {
  /** Exactly these mirrors. */
  static readonly layer = (list: MirrorList): Layer.Layer<Mirrors> => Layer.succeed(Mirrors, list);
}

/**
 * The URLs of a pool path on all mirrors. The security archive's paths lie
 * below `pool/updates/`, which the main archive does not have, so the path
 * alone says which archive is meant.
 */
export const poolUrls = (name: string, path: string): Effect.Effect<readonly string[], NoMirror, Mirrors> =>
  Effect.flatMap(Mirrors, (mirrors) => {
    const bases = path.startsWith("pool/updates/") ? mirrors.security : mirrors.archives;
    if (bases.length === 0) return Effect.fail(new NoMirror({ name, path }));
    // Versions hold characters such as '+' and '~', which servers disagree about unless they are escaped.
    const escaped = path.split("/").map(encodeURIComponent).join("/");
    return Effect.succeed(bases.map((base) => `${base.replace(/\/+$/, "")}/${escaped}`));
  });
