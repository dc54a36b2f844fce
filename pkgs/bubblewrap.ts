import { posix } from "node:path";
import type { BubblewrapCommand } from "#lib/build/sandbox/bubblewrap.ts";
import type { EnvironmentRequest } from "#lib/flake/lock.ts";

/**
 * The sandbox program for a machine that has none, with the libraries that it loads.
 * It must run before there is a sandbox, so it is fetched and unpacked by builtin derivations alone.
 */
export const bubblewrapRequest: EnvironmentRequest = {
  name: "bubblewrap",
  suite: "trixie",
  components: ["main"],
  architectures: ["amd64"],
  packages: ["bubblewrap"],
  // libc6 names it for threads that are cancelled, which bwrap does not do.
  excluded: ["libgcc-s1"],
};

/** Debian's directory of shared libraries for x86-64. */
const libraries = "usr/lib/x86_64-linux-gnu";

/**
 * How to start bubblewrap from its unpacked root; `root` is the physical directory.
 *
 * Its own dynamic loader runs it with its own libraries only, because the path of the loader that is
 * written into the program may not exist on the host, or be of another age. No variable is set, so
 * programs in the sandbox see nothing of it.
 */
export function bubblewrapCommand(root: string): BubblewrapCommand {
  const directory = posix.join(root, libraries);
  return {
    command: posix.join(directory, "ld-linux-x86-64.so.2"),
    args: ["--inhibit-cache", "--library-path", directory, "--argv0", "bwrap", posix.join(root, "usr/bin/bwrap")],
  };
}
