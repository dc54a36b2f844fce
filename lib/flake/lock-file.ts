import * as Effect from "effect/Effect";
import { randomBytes } from "node:crypto";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { LockFileMalformed, LockFileUnusable } from "./errors.ts";
import { lockVersion } from "./lock-decode.ts";
import { parseLock } from "./lock-parse.ts";
import { emptyLock, type EnvironmentRequest, type Lock } from "./lock.ts";

/** Reads a lock file; one that does not exist pins nothing. */
export const readLock = Effect.fnUntraced(function* (file: string) {
  const { promises } = yield* FileSystem;
  const bytes = yield* Effect.tryPromise({
    try: () => promises.readFile(file),
    catch: (cause) => new LockFileUnusable({ file, action: "read", code: errorCode(cause) ?? String(cause) }),
  }).pipe(
    Effect.catchIf(
      (error) => error.code === "ENOENT",
      () => Effect.succeed(undefined),
    ),
  );
  if (bytes === undefined) return emptyLock;
  return yield* Effect.try({
    try: () => parseLock(file, bytes),
    catch: (cause) => {
      if (cause instanceof LockFileMalformed) return cause;
      throw cause;
    },
  });
});

/**
 * Writes a lock file as a whole or not at all; other processes see the old file or the new one.
 * Returns whether its bytes changed.
 */
export const writeLock = Effect.fnUntraced(function* (file: string, lock: Lock) {
  const fileSystem = yield* FileSystem;
  return yield* Effect.tryPromise({
    try: () => replaceFile(fileSystem, file, printLock(lock)),
    catch: (cause) => new LockFileUnusable({ file, action: "write", code: errorCode(cause) ?? String(cause) }),
  });
});

async function replaceFile({ promises }: FileSystemShape, file: string, text: string): Promise<boolean> {
  const old = await promises.readFile(file, "utf8").catch(() => undefined);
  if (old === text) return false;
  // A lock file that is a symbolic link stays one.
  const target = await promises.realpath(file).catch(() => file);
  const temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await promises.open(temporary, "wx", 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await promises.rename(temporary, target);
  } catch (cause) {
    await promises.rm(temporary, { force: true }).catch(() => {});
    throw cause;
  }
  return true;
}

/**
 * The canonical text of a lock: keys sorted by code unit, one package a line, so that equal locks are
 * equal bytes and a changed package is a changed line.
 */
export function printLock(lock: Lock): string {
  const environments = [...lock.environments.keys()].sort().flatMap((name) => {
    const environment = lock.environments.get(name);
    if (environment === undefined) return [];
    return [
      `    ${quote(name)}: {\n` +
        `      "packages": ${lines(environment.packages, "      ")},\n` +
        `      "request": ${printRequest(environment.request)}\n` +
        `    }`,
    ];
  });
  const packages = [...lock.packages.keys()].sort().flatMap((path) => {
    const pinned = lock.packages.get(path);
    if (pinned === undefined) return [];
    const { name, version, architecture, size, sha256 } = pinned;
    const fields = Object.entries({ name, version, architecture, size, sha256 });
    return [
      `    ${quote(path)}: { ${fields.map(([key, value]) => `${quote(key)}: ${JSON.stringify(value)}`).join(", ")} }`,
    ];
  });
  return (
    `{\n  "version": ${lockVersion},\n` +
    `  "environments": ${block(environments)},\n` +
    `  "packages": ${block(packages)}\n}\n`
  );
}

function printRequest(request: EnvironmentRequest): string {
  const inline = (values: readonly string[]): string => `[${values.map(quote).join(", ")}]`;
  const fields = [
    `"suite": ${quote(request.suite)}`,
    `"components": ${inline(request.components)}`,
    `"architectures": ${inline(request.architectures)}`,
    ...(request.pockets === undefined ? [] : [`"pockets": ${inline(request.pockets)}`]),
    ...(request.essential === undefined ? [] : [`"essential": ${request.essential}`]),
    `"packages": ${lines(request.packages, "        ")}`,
    ...(request.excluded === undefined ? [] : [`"excluded": ${lines(request.excluded, "        ")}`]),
  ];
  return `{\n${fields.map((field) => `        ${field}`).join(",\n")}\n      }`;
}

function lines(values: readonly string[], indent: string): string {
  if (values.length === 0) return "[]";
  return `[\n${values.map((value) => `${indent}  ${quote(value)}`).join(",\n")}\n${indent}]`;
}

function block(members: readonly string[]): string {
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n  }`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
