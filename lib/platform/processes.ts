import * as Context from "effect/Context";
import * as Data from "effect/Data";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import { spawn as nodeSpawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** What to run. Nothing is inherited: the environment is exactly `env`. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What each stream is: a pipe to read or write (default), nothing, the terminal's own, or an open descriptor. */
  readonly stdin?: "pipe" | "ignore" | "inherit" | number;
  readonly stdout?: "pipe" | "ignore" | "inherit" | number;
  readonly stderr?: "pipe" | "ignore" | "inherit" | number;
}

/** How a process ended: its exit code, or the signal that killed it. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started process. Closing the scope it was started in kills its whole process group. */
export interface RunningProcess {
  readonly pid: number;
  /**
   * Null unless the stream is a pipe. Wait for what a process prints before it can end by itself: Node throws away
   * what nobody waits for then.
   */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Waits until the process has ended and its pipes are closed. */
  readonly exit: Effect.Effect<ExitStatus>;
}

/** The program could not be started at all. */
export class SpawnError extends Data.TaggedError("SpawnError")<{
  readonly command: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    const code =
      typeof this.cause === "object" && this.cause !== null && "code" in this.cause ? String(this.cause.code) : "";
    if (code === "ENOENT") return `cannot run '${this.command}': no such program. Install it, or put it on the PATH.`;
    if (code === "EACCES") return `cannot run '${this.command}': permission denied.`;
    return `cannot run '${this.command}': ${String(this.cause)}`;
  }
}

/** Child processes as a service. */
export class Processes extends Context.Service<
  Processes,
  {
    /** Starts a process in its own process group; the scope's end kills the group with SIGKILL. */
    readonly spawn: (command: Command) => Effect.Effect<RunningProcess, SpawnError, Scope.Scope>;
  }
>()("helios/Processes") {
  /** Processes of the host. */
  static readonly layer: Layer.Layer<Processes> = Layer.sync(Processes, () =>
    Processes.of({
      spawn: (command) => Effect.acquireRelease(start(command), (started) => Effect.sync(() => killGroup(started))),
    }),
  );
}

function start(command: Command): Effect.Effect<RunningProcess, SpawnError> {
  return Effect.callback<RunningProcess, SpawnError>((resume) => {
    const child = nodeSpawn(command.command, command.args, {
      cwd: command.cwd,
      env: { ...command.env },
      detached: true,
      stdio: [command.stdin ?? "pipe", command.stdout ?? "pipe", command.stderr ?? "pipe"],
    });
    const closed = new Promise<ExitStatus>((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    child.once("error", (cause) => {
      resume(Effect.fail(new SpawnError({ command: command.command, cause })));
    });
    child.once("spawn", () => {
      // A process that dies early closes its stdin; the writer learns that from the exit status, not from EPIPE.
      child.stdin?.on("error", () => {});
      resume(
        Effect.succeed({
          pid: child.pid ?? 0,
          stdin: child.stdin,
          stdout: child.stdout,
          stderr: child.stderr,
          exit: Effect.promise(() => closed),
        }),
      );
    });
  });
}

function killGroup(process_: RunningProcess): void {
  if (process_.pid <= 0) return;
  try {
    process.kill(-process_.pid, "SIGKILL");
  } catch {
    // ESRCH: the whole group has ended already.
  }
}

/** What `run` collects. `stdout` and `stderr` are decoded as UTF-8. */
export interface Finished extends ExitStatus {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end and collects what it printed; for short outputs only. */
export const run = Effect.fnUntraced(function* (command: Omit<Command, "stdin" | "stdout" | "stderr">, input?: string) {
  const processes = yield* Processes;
  const child = yield* processes.spawn({ ...command, stdin: input === undefined ? "ignore" : "pipe" });
  if (input !== undefined) child.stdin?.end(input);
  const [stdout, stderr, exit] = yield* Effect.all([text(child.stdout), text(child.stderr), child.exit], {
    concurrency: "unbounded",
  });
  return { ...exit, stdout, stderr } satisfies Finished;
}, Effect.scoped);

function text(stream: Readable | null): Effect.Effect<string> {
  return Effect.promise(async () => {
    const chunks: Buffer[] = [];
    if (stream !== null) for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString("utf8");
  });
}
