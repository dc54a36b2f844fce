import * as Data from "effect/Data";
import type { ExitStatus } from "#lib/platform/processes.ts";

/** The end of a machine's serial console, and the file that keeps all of it. */
export interface SerialExcerpt {
  /** Path of the kept log on the host. */
  readonly path: string;
  /** The last lines, free of control characters. */
  readonly lines: readonly string[];
}

/** The machine could not be started: a file is missing, or QEMU could not be run. */
export class MachineStartError extends Data.TaggedError("MachineStartError")<{
  readonly machine: string;
  /** What was attempted, as a phrase: "read the kernel '/…'". */
  readonly attempt: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    return `machine '${this.machine}': cannot ${this.attempt}: ${reason(this.cause)}`;
  }
}

/** QEMU ended, or the guest's shell went away, while something was still expected of the machine. */
export class MachineStoppedError extends Data.TaggedError("MachineStoppedError")<{
  readonly machine: string;
  /** What was being waited for, as a noun phrase: "the root shell". */
  readonly awaited: string;
  /** How QEMU ended; undefined while it still runs and only the shell is gone. */
  readonly exit: ExitStatus | undefined;
  /** Why QEMU says it stopped ("guest-shutdown", "guest-reset", "guest-panic" …), when it said so. */
  readonly reason: string | undefined;
  /** The last lines that QEMU or the sandbox wrote on standard error. */
  readonly stderr: readonly string[];
  readonly serial: SerialExcerpt;
}> {
  override get message(): string {
    const how =
      this.exit === undefined
        ? "the guest's shell ended"
        : this.exit.signal === null
          ? `QEMU ended with exit status ${String(this.exit.code)}`
          : `QEMU was killed by ${this.exit.signal}`;
    const why = this.reason === undefined ? "" : ` (${explainReason(this.reason)})`;
    const said = this.stderr.length === 0 ? "" : `\nstandard error:\n${indent(this.stderr)}`;
    return `machine '${this.machine}': ${how}${why} while ${this.awaited} was awaited.${said}\n${describeSerial(this.serial)}`;
  }
}

/** Something took longer than its time limit. */
export class TimeLimitError extends Data.TaggedError("TimeLimitError")<{
  readonly machine: string;
  /** What was being waited for, as a noun phrase: "unit ssh.service to become active". */
  readonly awaited: string;
  readonly seconds: number;
  /** The last known state of what was awaited, if there is one. */
  readonly detail: string | undefined;
  readonly serial: SerialExcerpt;
}> {
  override get message(): string {
    const detail = this.detail === undefined ? "" : `\n${this.detail}`;
    return `machine '${this.machine}': waited ${this.seconds.toFixed(0)} s for ${this.awaited}.${detail}\n${describeSerial(this.serial)}`;
  }
}

/** The guest's shell answered with something that is not an answer. */
export class ShellProtocolError extends Data.TaggedError("ShellProtocolError")<{
  readonly machine: string;
  readonly problem: string;
}> {
  override get message(): string {
    return `machine '${this.machine}': ${this.problem}`;
  }
}

/** A command in the guest ended otherwise than it was to. */
export class CommandFailedError extends Data.TaggedError("CommandFailedError")<{
  readonly machine: string;
  readonly command: string;
  readonly expected: "success" | "failure";
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}> {
  override get message(): string {
    const outcome = this.expected === "success" ? "failed" : "succeeded but was to fail";
    const output = [this.stdout, this.stderr]
      .filter((text) => text.trim() !== "")
      .map((text) => indent(lastLines(text, 20)));
    return [
      `machine '${this.machine}': command ${outcome} with status ${this.status}: ${this.command}`,
      ...output,
    ].join("\n");
  }
}

/** A unit that was to become active cannot become so. */
export class UnitFailedError extends Data.TaggedError("UnitFailedError")<{
  readonly machine: string;
  readonly unit: string;
  /** Why there is no sense in waiting on, as a clause: "is in state failed (exit-code)". */
  readonly problem: string;
  /** What `systemctl status` prints. */
  readonly status: string;
  /** The unit's last journal lines. */
  readonly journal: string;
}> {
  override get message(): string {
    const parts = [`machine '${this.machine}': unit ${this.unit} ${this.problem}`];
    if (this.status.trim() !== "") parts.push(`systemctl status:\n${indent(lastLines(this.status, 20))}`);
    if (this.journal.trim() !== "") parts.push(`journal:\n${indent(lastLines(this.journal, 30))}`);
    return parts.join("\n");
  }
}

/** What an assertion found is not what it expected. */
export class AssertionFailedError extends Data.TaggedError("AssertionFailedError")<{
  readonly expected: string;
  readonly actual: string;
  /** Anything more that helps: a unit's journal, a command's standard error. */
  readonly detail?: string;
}> {
  override get message(): string {
    const detail = this.detail === undefined || this.detail.trim() === "" ? "" : `\n${this.detail.trimEnd()}`;
    return `expected ${this.expected}, but got ${this.actual}${detail}`;
  }
}

/** An assertion that is written as data makes no sense, e.g. its pattern is not a regular expression. */
export class InvalidAssertionError extends Data.TaggedError("InvalidAssertionError")<{
  readonly description: string;
  readonly problem: string;
}> {
  override get message(): string {
    return `boot test assertion '${this.description}': ${this.problem}`;
  }
}

/** One or more assertions of a boot test failed. */
export class BootTestFailedError extends Data.TaggedError("BootTestFailedError")<{
  readonly test: string;
  readonly assertions: number;
  readonly failures: readonly { readonly description: string; readonly detail: string; readonly tried: boolean }[];
  /** One for each boot. */
  readonly serialLogs: readonly string[];
  /** The guest's journals, saved on the host: of each boot with a failure, when the guest could be asked for it. */
  readonly journals: readonly string[];
}> {
  override get message(): string {
    const logs = [
      ...this.serialLogs.map((path) => `serial log: ${path}`),
      ...this.journals.map((path) => `journal: ${path}`),
    ];
    const tried = this.failures.filter((failure) => failure.tried);
    const skipped = this.failures.length - tried.length;
    return [
      `boot test '${this.test}': ${this.failures.length} of ${this.assertions} assertions failed`,
      ...tried.map((failure) => `- ${failure.description}\n${indent(failure.detail.split("\n"))}`),
      ...(skipped === 0 ? [] : [`${skipped} of them were not tried, since the machine was lost before`]),
      ...logs,
    ].join("\n");
  }
}

/** What can go wrong with a running machine. */
export type MachineError =
  | MachineStoppedError
  | TimeLimitError
  | ShellProtocolError
  | CommandFailedError
  | UnitFailedError;

/** Every expected failure of this layer. */
export type MachineLayerError =
  | MachineStartError
  | MachineError
  | AssertionFailedError
  | InvalidAssertionError
  | BootTestFailedError;

function explainReason(name: string): string {
  switch (name) {
    case "guest-reset":
      return "the guest reset itself: a kernel panic or a reboot";
    case "guest-shutdown":
      return "the guest powered itself off";
    case "guest-panic":
      return "the guest's kernel panicked";
    default:
      return name;
  }
}

function describeSerial(serial: SerialExcerpt): string {
  if (serial.lines.length === 0) return `The serial console is empty; its log is ${serial.path}`;
  return `last lines of the serial console (whole log: ${serial.path}):\n${indent(serial.lines)}`;
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`).join("\n");
}

function lastLines(text: string, count: number): string[] {
  return text.trimEnd().split("\n").slice(-count);
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
