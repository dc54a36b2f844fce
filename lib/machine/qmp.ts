import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { createConnection, type Socket } from "node:net";
import { LineReader } from "./line-reader.ts";

/** A line of QEMU's machine protocol, read no further than the driver needs. */
type QmpMessage =
  | { readonly type: "event"; readonly name: string; readonly data: Readonly<Record<string, unknown>> }
  | { readonly type: "return"; readonly value: unknown }
  | { readonly type: "error"; readonly description: string }
  | { readonly type: "other" };

/** Reads one line of the protocol; anything unknown is "other". */
function parseQmpMessage(line: string): QmpMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { type: "other" };
  }
  if (!isRecord(value)) return { type: "other" };
  if (typeof value["event"] === "string") {
    return { type: "event", name: value["event"], data: isRecord(value["data"]) ? value["data"] : {} };
  }
  if ("return" in value) return { type: "return", value: value["return"] };
  if (isRecord(value["error"])) return { type: "error", description: String(value["error"]["desc"]) };
  return { type: "other" };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A connection to a running QEMU. */
export interface Qmp {
  /** Why the machine stopped, once QEMU has said so: "guest-shutdown", "guest-reset", "guest-panic" … */
  readonly stopReason: () => string | undefined;
  /** Runs a command of the protocol; rejects with QEMU's description of the error. */
  readonly execute: (command: string, args?: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly close: () => void;
}

/**
 * Connects to the monitor socket `name` in `directory`.
 *
 * The path of a Unix socket has room for 107 bytes only, so the directory is
 * opened and named through /proc, whatever its length.
 */
export async function connectQmp(fileSystem: FileSystemShape, directory: string, name: string): Promise<Qmp> {
  const handle = await fileSystem.promises.open(directory, "r");
  try {
    const socket = await connect(`/proc/self/fd/${handle.fd}/${name}`);
    const qmp = speak(socket);
    await qmp.execute("qmp_capabilities");
    return qmp;
  } finally {
    await handle.close();
  }
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

function speak(socket: Socket): Qmp {
  let stopReason: string | undefined;
  const waiting: { resolve: (value: unknown) => void; reject: (cause: Error) => void }[] = [];
  const lines = new LineReader(
    (line) => {
      const message = parseQmpMessage(line.toString("utf8"));
      // Answers come in the order of the commands.
      if (message.type === "return") waiting.shift()?.resolve(message.value);
      else if (message.type === "error") waiting.shift()?.reject(new Error(message.description));
      else if (message.type === "event") stopReason = reasonOf(message.name, message.data) ?? stopReason;
    },
    () => socket.destroy(),
  );
  const fail = (): void => {
    for (const command of waiting.splice(0)) command.reject(new Error("QEMU closed its monitor"));
  };
  socket.on("data", (chunk) => lines.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk));
  socket.on("error", fail);
  socket.on("close", fail);
  return {
    stopReason: () => stopReason,
    execute: (command, args) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) {
          reject(new Error("QEMU closed its monitor"));
          return;
        }
        waiting.push({ resolve, reject });
        socket.write(`${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }) })}\n`);
      }),
    close: () => socket.destroy(),
  };
}

function reasonOf(event: string, data: Readonly<Record<string, unknown>>): string | undefined {
  if (event === "GUEST_PANICKED") return "guest-panic";
  return event === "SHUTDOWN" && typeof data["reason"] === "string" ? data["reason"] : undefined;
}
