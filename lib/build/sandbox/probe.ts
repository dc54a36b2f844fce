import * as Effect from "effect/Effect";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { run } from "#lib/platform/processes.ts";
import { type BubblewrapCommand, installRemedy, SandboxUnavailable } from "./bubblewrap.ts";

/**
 * Starts an empty sandbox once, so that a machine on which it cannot work is recognised as such
 * before a build fails for reasons that look like its own.
 *
 * @param isolation the namespace arguments that builds are given
 */
export const probe = Effect.fnUntraced(function* (bubblewrap: BubblewrapCommand, isolation: readonly string[]) {
  const fs = yield* FileSystem;
  const finished = yield* run({
    command: bubblewrap.command,
    // The host's root stands in for an environment: nothing but an empty shell runs in it.
    args: [...bubblewrap.args, ...isolation, ...mounts, "--", "/bin/sh", "-c", ":"],
    env: {},
  }).pipe(
    Effect.mapError(
      (cause) => new SandboxUnavailable({ reason: cause.message.replace(/\.$/, ""), remedy: installRemedy, cause }),
    ),
  );
  if (finished.code === 0) return;
  const said = finished.stderr.trim() || `it ended with ${finished.signal ?? `exit code ${finished.code}`}`;
  const remedy = yield* Effect.promise(() => remedyFor(fs, said));
  return yield* new SandboxUnavailable({ reason: `bubblewrap does not work here (${said})`, remedy });
});

const mounts = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"];

/** Kernel settings that forbid user namespaces to ordinary users, with the value that does. */
const settings = [
  { name: "kernel.apparmor_restrict_unprivileged_userns", forbids: "1", allow: "0" }, // Ubuntu 23.10 and later
  { name: "kernel.unprivileged_userns_clone", forbids: "0", allow: "1" }, // Debian before 11, hardened kernels
  { name: "user.max_user_namespaces", forbids: "0", allow: "65536" }, // Red Hat
] as const;

async function remedyFor(fs: FileSystemShape, said: string): Promise<string> {
  for (const { name, forbids, allow } of settings) {
    const file = `/proc/sys/${name.replaceAll(".", "/")}`;
    const value = await fs.promises.readFile(file, "utf8").catch(() => undefined);
    if (value?.trim() === forbids) {
      return `This kernel forbids user namespaces: allow them with 'sudo sysctl -w ${name}=${allow}'.`;
    }
  }
  if (/unknown option/i.test(said)) return "This bubblewrap is too old: version 0.5 or later is needed.";
  return "In a container, start it with user namespaces allowed (for Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined).";
}
