import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { posix } from "node:path";
import { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { rootEntries } from "#lib/build/sandbox/environment.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { type Processes, run } from "#lib/platform/processes.ts";
import { MachineStartError } from "./errors.ts";
import { sandboxPaths } from "./qemu-arguments.ts";
import { machineSandboxArguments } from "./sandbox.ts";
import { lastPrintableLines } from "./serial-log.ts";

const mebibyte = 1024 * 1024;
const fileName = "overlay.qcow2";

/** What an overlay is made of. Paths are physical paths on the host. */
export interface OverlayOptions {
  /** Names the machine in messages. */
  readonly name: string;
  /** The tool root that holds qemu-img. */
  readonly qemuRoot: string;
  /** The raw image below; only read. */
  readonly image: string;
  /** Size of the disk, at least the image's; the image's own by default. What lies behind the image reads as zeros. */
  readonly sizeMiB?: number | undefined;
  /** Directory on the host, which exists, for the file. */
  readonly temporary: string;
}

/**
 * Makes a copy-on-write file over an image, so that a disk of any size costs what
 * the guest writes and no more, and the image stays as it is. Returns its path;
 * the end of the scope removes it.
 */
export const makeOverlay = Effect.fnUntraced(function* (
  options: OverlayOptions,
): Effect.fn.Return<string, MachineStartError, Bubblewrap | FileSystem | Processes | Scope.Scope> {
  const fs = yield* FileSystem;
  const { promises } = fs;
  const bubblewrap = yield* Bubblewrap;
  const { name, qemuRoot, image, sizeMiB, temporary } = options;
  const failed = (attempt: string, cause: unknown) => new MachineStartError({ machine: name, attempt, cause });
  const attempt = <A>(what: string, action: () => Promise<A>) =>
    Effect.tryPromise({ try: action, catch: (cause) => failed(what, cause) });

  const size = Number((yield* attempt(`read the image '${image}'`, () => promises.stat(image))).size);
  const wanted = sizeMiB === undefined ? size : sizeMiB * mebibyte;
  if (wanted < size) {
    const problem = `the image alone has ${Math.ceil(size / mebibyte)} MiB`;
    return yield* failed(`put the image on a disk of ${sizeMiB} MiB`, problem);
  }
  const work = yield* Effect.acquireRelease(
    attempt(`write to '${temporary}'`, () => promises.mkdtemp(posix.join(temporary, "disk-"))),
    (made) => Effect.promise(() => promises.rm(made, { recursive: true, force: true }).catch(() => {})),
  );
  const root = yield* attempt(`read the tool root '${qemuRoot}'`, () => rootEntries(fs, qemuRoot));
  const command = yield* Effect.mapError(bubblewrap.locate, (cause) => failed("run qemu-img in a sandbox", cause));
  const files = [{ role: "image", physical: image, logical: sandboxPaths.image, writable: false }];
  const finished = yield* run({
    command: command.command,
    args: [
      ...command.args,
      ...machineSandboxArguments({ root: qemuRoot, rootEntries: root, files, work }),
      "qemu-img",
      ...createOver(sandboxPaths.image, `${sandboxPaths.work}/${fileName}`, wanted),
    ],
    env: {},
  }).pipe(Effect.mapError((cause) => failed("run qemu-img", cause)));
  if (finished.code !== 0) {
    return yield* failed("make a disk over the image", lastPrintableLines(finished.stderr, 5).join("\n"));
  }
  return posix.join(work, fileName);
});

/** Both formats are said: qemu-img does not guess what a guest may have written. */
function createOver(image: string, file: string, bytes: number): readonly string[] {
  return ["create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", file, String(bytes)];
}
