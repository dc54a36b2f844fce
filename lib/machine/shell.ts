import * as Data from "effect/Data";
import * as Deferred from "effect/Deferred";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import * as Semaphore from "effect/Semaphore";
import { randomInt } from "node:crypto";
import { answerMark, greeting, parseAnswer, shellFunctions, shellQuote, type Answer } from "./shell-protocol.ts";
import { LineReader } from "./line-reader.ts";

/** A byte channel to the guest's shell: what is written to `input` is read by the shell, what it prints arrives on `output`. */
export interface ShellChannel {
  readonly input: NodeJS.WritableStream;
  readonly output: NodeJS.ReadableStream;
}

/** The outcome of one command. */
export interface CommandResult {
  /** Exit status; 128 + signal when killed. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The channel was closed: the shell, or the whole machine, has gone. */
export class ShellClosed extends Data.TaggedError("ShellClosed")<{}> {}

/** The guest did not answer in time, or it killed the command that took too long. */
export class ShellTimeout extends Data.TaggedError("ShellTimeout")<{ readonly seconds: number }> {}

/** The guest's answer is damaged, or the command cannot be sent. */
export class ShellDamaged extends Data.TaggedError("ShellDamaged")<{ readonly problem: string }> {}

export type ShellFailure = ShellClosed | ShellTimeout | ShellDamaged;

/** A root shell in the guest. Commands run one after the other, each in a fresh `sh -c`. */
export interface Shell {
  /** Waits until the guest's shell has answered a first time. */
  readonly connect: (seconds: number) => Effect.Effect<void, ShellFailure>;
  /** Runs one command; `connect` must have succeeded. A command that runs longer than `seconds` is killed in the guest. */
  readonly run: (command: string, seconds: number) => Effect.Effect<CommandResult, ShellFailure>;
}

export interface ShellOptions {
  /** A directory in the guest, on a memory file system, that the shell makes and keeps its scratch files in. */
  readonly guestDirectory?: string;
}

/** A guest that has been told to kill a command gets this long, in seconds, to say so. */
const graceSeconds = 20;

const greetingLine = Buffer.from(greeting);

/** What one command may weigh: the kernel's limit for one argument, less room for quoting. */
const longestCommand = 120_000;

/**
 * Speaks to a shell that reads its script from the channel.
 *
 * Every request carries a sum for the guest to work out, and only an answer that
 * starts with the result counts. An echo of the request contains the terms but
 * not the result, so neither a terminal's echo nor an old answer can be taken for
 * an answer. Everything else that arrives is noise and is dropped.
 */
export const makeShell = Effect.fnUntraced(function* (
  channel: ShellChannel,
  options: ShellOptions = {},
): Effect.fn.Return<Shell, never, Scope.Scope> {
  const oneAtATime = yield* Semaphore.make(1);
  const inbox = new Inbox();
  yield* Effect.acquireRelease(
    Effect.sync(() => inbox.attach(channel)),
    () => Effect.sync(() => inbox.detach(channel)),
  );

  const request = (text: (sum: string) => string, seconds: number): Effect.Effect<Answer, ShellFailure> =>
    oneAtATime
      .withPermits(1)(
        Effect.suspend(() => {
          const [left, right] = [randomInt(2 ** 40), randomInt(2 ** 40)];
          const answer = inbox.answer(String(left + right));
          channel.input.write(`${text(`$((${left} + ${right}))`)}\n`);
          return answer;
        }),
      )
      .pipe(
        Effect.timeoutOrElse({
          duration: seconds * 1000,
          orElse: () => Effect.fail(new ShellTimeout({ seconds })),
        }),
      );

  return {
    connect: (seconds) =>
      Deferred.await(inbox.greeted).pipe(
        Effect.andThen(
          request((sum) => `${shellFunctions(options.guestDirectory ?? "/run/helios-shell")}\nrun ${sum} 0 :`, seconds),
        ),
        Effect.timeoutOrElse({ duration: seconds * 1000, orElse: () => Effect.fail(new ShellTimeout({ seconds })) }),
        Effect.asVoid,
      ),
    run: Effect.fnUntraced(function* (command: string, seconds: number) {
      const problem = unsendable(command);
      if (problem !== undefined) return yield* new ShellDamaged({ problem });
      const limit = Math.max(1, Math.ceil(seconds));
      const started = performance.now();
      const answer = yield* request((sum) => `run ${sum} ${limit} ${shellQuote(command)}`, limit + graceSeconds);
      // `timeout` in the guest ends with 124, or 137 when it had to kill; a quick command may end with these by itself.
      const timedOut = answer.status === 124 || answer.status === 137;
      if (timedOut && performance.now() - started >= limit * 1000) return yield* new ShellTimeout({ seconds: limit });
      return { status: answer.status, stdout: answer.stdout, stderr: answer.stderr };
    }),
  };
});

function unsendable(command: string): string | undefined {
  if (command.includes("\0")) return "a command contains a NUL character, which no shell can take";
  if (Buffer.byteLength(command) > longestCommand) {
    return `a command is ${Buffer.byteLength(command)} bytes long; at most ${longestCommand} can be sent to the guest`;
  }
  return undefined;
}

/** Finds the greeting and the awaited answer in what the guest prints. */
class Inbox {
  readonly greeted = Deferred.makeUnsafe<void, ShellFailure>();
  private awaited:
    | { readonly sum: string; readonly resume: (result: Effect.Effect<Answer, ShellFailure>) => void }
    | undefined;
  private closed = false;
  private readonly lines = new LineReader(
    (line) => this.take(line),
    () => this.settle(Effect.fail(new ShellDamaged({ problem: "the guest's shell sent an endless line" }))),
  );
  private readonly onData = (chunk: Buffer | string): void =>
    this.lines.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  private readonly onEnd = (): void => {
    this.closed = true;
    Deferred.doneUnsafe(this.greeted, Effect.fail(new ShellClosed()));
    this.settle(Effect.fail(new ShellClosed()));
  };

  attach({ input, output }: ShellChannel): void {
    // Writing to a guest that has gone is no failure of its own: the output ends too.
    input.on("error", this.onEnd);
    output.on("data", this.onData);
    output.on("end", this.onEnd);
    output.on("close", this.onEnd);
    output.on("error", this.onEnd);
  }

  /** The handlers of errors stay: an error may come after everybody has lost interest. */
  detach({ output }: ShellChannel): void {
    output.off("data", this.onData);
    output.off("end", this.onEnd);
    output.off("close", this.onEnd);
    this.onEnd();
  }

  answer(sum: string): Effect.Effect<Answer, ShellFailure> {
    return Effect.callback<Answer, ShellFailure>((resume) => {
      if (this.closed) {
        resume(Effect.fail(new ShellClosed()));
        return;
      }
      this.awaited = { sum, resume };
      return Effect.sync(() => {
        this.awaited = undefined;
      });
    });
  }

  private take(line: Buffer): void {
    if (line.equals(greetingLine)) Deferred.doneUnsafe(this.greeted, Effect.void);
    const mark = line.lastIndexOf(answerMark);
    if (mark < 0 || this.awaited === undefined) return;
    const parsed = parseAnswer(line.toString("latin1", mark + 1), this.awaited.sum);
    switch (parsed.type) {
      case "answer":
        this.settle(Effect.succeed(parsed.answer));
        return;
      case "damaged":
        this.settle(Effect.fail(new ShellDamaged({ problem: parsed.problem })));
        return;
      case "noise":
        return;
    }
  }

  private settle(result: Effect.Effect<Answer, ShellFailure>): void {
    const awaited = this.awaited;
    this.awaited = undefined;
    awaited?.resume(result);
  }
}
