import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { BubblewrapCommand } from "./bubblewrap.ts";
import { readToolRoot, type ToolRoot } from "./environment.ts";

/** How this process starts sandboxes. */
export interface Launcher {
  readonly bubblewrap: BubblewrapCommand;
  readonly shell: "/bin/sh" | "/bin/bash";
  /** Descriptors that every child of this process gets, wanted or not. */
  readonly inherited: readonly number[];
  /** `readToolRoot`, once for each environment. */
  readonly toolRoot: (physical: string) => Promise<ToolRoot>;
}

/** Looks at this process's descriptors, once for all sandboxes: Node's own are never inherited. */
export async function makeLauncher(fs: FileSystemShape, bubblewrap: BubblewrapCommand): Promise<Launcher> {
  const inherited = await inheritedDescriptors(fs);
  // A plain sh closes descriptors of one digit only.
  const shell = inherited.some((descriptor) => descriptor > 9) ? "/bin/bash" : "/bin/sh";
  const toolRoots = new Map<string, Promise<ToolRoot>>();
  const toolRoot = (physical: string): Promise<ToolRoot> => {
    const known = toolRoots.get(physical) ?? readToolRoot(fs, physical);
    toolRoots.set(physical, known);
    // What failed now may work for the next build.
    known.catch(() => toolRoots.delete(physical));
    return known;
  };
  return { bubblewrap, inherited, shell, toolRoot };
}

/** The kernel's O_CLOEXEC, in the octal `flags` of /proc/self/fdinfo. */
const closeOnExec = 0o2000000;

/**
 * What whoever started this process left open. With a directory among it, a builder could walk out of its sandbox;
 * terminals of editors and CI runners do leave some.
 */
async function inheritedDescriptors(fs: FileSystemShape): Promise<number[]> {
  const names = (await fs.promises.readdir("/proc/self/fd")).map(Number);
  const flags = await Promise.all(
    names.map((descriptor) => fs.promises.readFile(`/proc/self/fdinfo/${descriptor}`, "utf8").catch(() => "")),
  );
  return names.filter((descriptor, index) => {
    const octal = /^flags:\s*([0-7]+)$/m.exec(flags[index] ?? "")?.[1];
    return descriptor > 2 && octal !== undefined && (Number.parseInt(octal, 8) & closeOnExec) === 0;
  });
}

/** The descriptor on which bubblewrap reads its arguments. */
const argumentDescriptor = 3;

/** How willingly the kernel kills builders when memory runs out, of 1000: before everything the user works with. */
const memoryPressureScore = 500;

/**
 * The whole command line around the builder's own. The host's shell starts bubblewrap, with the file of arguments
 * as $0: one pipe for both streams keeps their lines in order; mask and core size would otherwise be the user's; and
 * arguments from a file are neither limited in length nor seen by the builder, as those of process 1 are.
 *
 * @param memory bytes that each process may take
 */
export function sandboxCommand(
  { bubblewrap, shell, inherited }: Omit<Launcher, "toolRoot">,
  argumentFile: string,
  command: readonly string[],
  memory?: number,
): readonly [string, ...string[]] {
  const closed = inherited
    .filter((descriptor) => descriptor !== argumentDescriptor)
    .map((descriptor) => ` ${descriptor}>&-`);
  const limit = memory === undefined ? "" : `ulimit -d ${Math.ceil(memory / 1024)} || exit; `;
  const yielding = `{ echo ${memoryPressureScore} >/proc/self/oom_score_adj; } 2>/dev/null; `;
  const script = `umask 022; ulimit -c 0; ${limit}${yielding}exec "$@" 2>&1 ${argumentDescriptor}<"$0"${closed.join("")}`;
  const sandboxed = [bubblewrap.command, ...bubblewrap.args, "--args", String(argumentDescriptor), "--", ...command];
  return [shell, "-c", script, argumentFile, ...sandboxed];
}
