import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Readable } from "node:stream";
import { posix } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { rootEntries } from "#lib/build/sandbox/environment.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { Processes, type ExitStatus } from "#lib/platform/processes.ts";
import { MachineStartError } from "./errors.ts";
import type { MachineOptions } from "./options.ts";
import { planQemu, workFiles, type QemuPlan } from "./qemu-arguments.ts";
import { connectQmp, type Qmp } from "./qmp.ts";
import { machineSandboxArguments } from "./sandbox.ts";
import { lastPrintableLines } from "./serial-log.ts";
import type { ShellChannel } from "./shell.ts";
import type { TimeLimits } from "./time-limits.ts";

/** A running QEMU. */
export interface Qemu {
  readonly channel: ShellChannel;
  /** Path of the serial console's log on the host. */
  readonly serialLog: string;
  /** Waits until QEMU has ended. */
  readonly exit: Effect.Effect<ExitStatus>;
  /** How QEMU ended; undefined while it runs. */
  readonly exited: () => ExitStatus | undefined;
  /** The last lines of QEMU's standard error. */
  readonly stderr: () => readonly string[];
  /** `qmp` is undefined until the monitor is connected, shortly after the start. */
  readonly monitor: { readonly qmp: Qmp | undefined };
}

/**
 * Starts QEMU in its sandbox. The end of the scope kills it with everything
 * that it started and removes what it wrote, except for the serial log.
 */
export const startQemu = Effect.fnUntraced(function* (
  options: MachineOptions,
  limits: TimeLimits,
): Effect.fn.Return<Qemu, MachineStartError, Bubblewrap | FileSystem | Processes | Scope.Scope> {
  const fs = yield* FileSystem;
  const processes = yield* Processes;
  const bubblewrap = yield* Bubblewrap;
  const attempt = <A>(what: string, action: () => Promise<A>): Effect.Effect<A, MachineStartError> =>
    Effect.tryPromise({ try: action, catch: (cause) => startError(options.name, what, cause) });

  const plan = planQemu(options, limits);
  if ("problem" in plan) return yield* startError(options.name, "make its command line", plan.problem);
  for (const file of plan.files) {
    yield* attempt(`read the ${file.role} '${file.physical}'`, () => fs.promises.access(file.physical));
  }
  const root = yield* attempt(`read the tool root '${options.qemuRoot}'`, () => rootEntries(fs, options.qemuRoot));
  const command = yield* Effect.mapError(bubblewrap.locate, (cause) =>
    startError(options.name, "run QEMU in a sandbox", cause),
  );

  const serialLog = posix.join(options.directory, workFiles.serial);
  yield* attempt(`write to '${options.directory}'`, async () => {
    await fs.promises.mkdir(options.directory, { recursive: true });
    await fs.promises.writeFile(serialLog, "");
  });
  const work = yield* Effect.acquireRelease(
    attempt(`write to '${options.temporary}'`, () => makeWorkDirectory(fs, options.temporary, plan)),
    // Nothing depends on it being gone, and the failure that matters has been reported by then.
    (directory) => Effect.promise(() => fs.promises.rm(directory, { recursive: true, force: true }).catch(() => {})),
  );

  // It is killed before this is run: whoever comes next finds its disk free, and nobody writing.
  let end: Effect.Effect<unknown> = Effect.void;
  yield* Effect.addFinalizer(() => Effect.timeoutOption(end, 5000));
  const process_ = yield* Effect.mapError(
    processes.spawn({
      command: command.command,
      args: [
        ...command.args,
        ...machineSandboxArguments({ root: options.qemuRoot, rootEntries: root, files: plan.files, work, serialLog }),
        "qemu-system-aarch64",
        ...plan.args,
      ],
      env: {},
    }),
    (cause) => startError(options.name, "run QEMU", cause),
  );
  end = process_.exit;
  const { stdin, stdout, stderr } = process_;
  if (stdin === null || stdout === null || stderr === null) {
    return yield* startError(options.name, "run QEMU", "its standard streams are not pipes");
  }

  let exited: ExitStatus | undefined;
  yield* Effect.forkScoped(Effect.map(process_.exit, (status) => (exited = status)));
  const monitor = yield* Effect.acquireRelease(
    Effect.sync(() => new Monitor(fs, work, () => exited !== undefined)),
    (monitor) => Effect.sync(() => monitor.close()),
  );
  return {
    channel: { input: stdin, output: stdout },
    serialLog,
    exit: process_.exit,
    exited: () => exited,
    stderr: collectTail(stderr),
    monitor,
  };
});

const startError = (machine: string, attempt: string, cause: unknown): MachineStartError =>
  new MachineStartError({ machine, attempt, cause });

/** Makes the directory that QEMU may write to, with the credentials in it. */
async function makeWorkDirectory(fs: FileSystemShape, directory: string, plan: QemuPlan): Promise<string> {
  const work = await fs.promises.mkdtemp(posix.join(directory, "machine-"));
  for (const [name, content] of plan.workFiles) await fs.promises.writeFile(posix.join(work, name), content);
  return work;
}

/** Keeps the last lines of a stream, and keeps it flowing. */
function collectTail(stream: Readable): () => readonly string[] {
  let tail = "";
  stream.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-8192);
  });
  return () => lastPrintableLines(tail, 10);
}

/** Connects to the monitor as soon as QEMU has made it. A machine works without; then less is known of its end. */
class Monitor {
  private connection: Qmp | undefined;
  private closed = false;

  constructor(fs: FileSystemShape, directory: string, hasEnded: () => boolean) {
    void this.connect(fs, directory, hasEnded);
  }

  get qmp(): Qmp | undefined {
    return this.connection;
  }

  close(): void {
    this.closed = true;
    this.connection?.close();
  }

  private async connect(fs: FileSystemShape, directory: string, hasEnded: () => boolean): Promise<void> {
    while (!this.closed && !hasEnded()) {
      const connection = await connectQmp(fs, directory, workFiles.monitor).catch(() => undefined);
      if (connection !== undefined) {
        this.connection = connection;
        if (this.closed) connection.close();
        return;
      }
      await setTimeout(200);
    }
  }
}
