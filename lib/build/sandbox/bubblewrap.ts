import * as Context from "effect/Context";
import * as Data from "effect/Data";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { posix } from "node:path";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";

/**
 * How to start bubblewrap: a program and the arguments that come before bubblewrap's own.
 * A bubblewrap that was unpacked from packages runs through its own dynamic loader:
 *
 *     { command: "…/ld-linux-x86-64.so.2", args: ["--library-path", "…/lib", "…/bin/bwrap"] }
 */
export interface BubblewrapCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** No sandbox on this machine. The build stops: nothing is ever built without one. */
export class SandboxUnavailable extends Data.TaggedError("SandboxUnavailable")<{
  /** One sentence without a full stop. */
  readonly reason: string;
  /** One sentence, with the command that mends it. */
  readonly remedy: string;
  readonly cause?: unknown;
}> {
  override get message(): string {
    return `Cannot build in a sandbox: ${this.reason}. ${this.remedy}`;
  }
}

/** The one sentence for a machine without bubblewrap. */
export const installRemedy =
  "Install it with 'sudo apt-get install bubblewrap' (or your distribution's equivalent), or set HELIOS_BWRAP to the path of one.";

/** Where bubblewrap comes from: the user's choice, the PATH, or a pinned one. */
export class Bubblewrap extends Context.Service<
  Bubblewrap,
  { readonly locate: Effect.Effect<BubblewrapCommand, SandboxUnavailable> }
>()("helios/Bubblewrap") {
  /** $HELIOS_BWRAP, else `bwrap` on the PATH, else an error with the command that installs it. */
  static readonly layer: Layer.Layer<Bubblewrap, never, FileSystem> = Bubblewrap.fromPath(process.env);

  /** The same with the variables of `environment`. */
  static fromPath(
    environment: Readonly<Record<string, string | undefined>>,
  ): Layer.Layer<Bubblewrap, never, FileSystem> {
    const missing = new SandboxUnavailable({
      reason: "bubblewrap ('bwrap') is not on the PATH",
      remedy: installRemedy,
    });
    return Bubblewrap.withFallback(Effect.fail(missing), environment);
  }

  /** $HELIOS_BWRAP, else `bwrap` on the PATH, else what `pinned` provides (it may fetch and unpack). Asked for once. */
  static withFallback<R>(
    pinned: Effect.Effect<BubblewrapCommand, SandboxUnavailable, R>,
    environment: Readonly<Record<string, string | undefined>> = process.env,
  ): Layer.Layer<Bubblewrap, never, FileSystem | R> {
    const locate = Effect.gen(function* () {
      const fs = yield* FileSystem;
      const chosen = environment["HELIOS_BWRAP"];
      if (chosen !== undefined && chosen !== "") {
        if (yield* Effect.promise(() => isExecutable(fs, chosen))) return { command: chosen, args: [] };
        return yield* new SandboxUnavailable({
          reason: `HELIOS_BWRAP is '${chosen}', which is not a program`,
          remedy: "Correct it, or unset it to use the one on the PATH.",
        });
      }
      const found = yield* Effect.promise(() => searchPath(fs, environment["PATH"] ?? ""));
      return found === undefined ? yield* pinned : { command: found, args: [] };
    });
    return Layer.effect(
      Bubblewrap,
      Effect.gen(function* () {
        const context = yield* Effect.context<FileSystem | R>();
        return { locate: yield* Effect.cached(Effect.provideContext(locate, context)) };
      }),
    );
  }
}

/** `bwrap` in the absolute directories of a PATH; relative ones depend on where the user stands and are passed over. */
async function searchPath(fs: FileSystemShape, path: string): Promise<string | undefined> {
  for (const directory of path.split(":").filter((entry) => entry.startsWith("/"))) {
    const candidate = posix.join(directory, "bwrap");
    if (await isExecutable(fs, candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(fs: FileSystemShape, path: string): Promise<boolean> {
  try {
    const status = await fs.promises.stat(path);
    return status.isFile() && (status.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
