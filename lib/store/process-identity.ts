import { readFile, readlink } from "node:fs/promises";

/**
 * Names one process for as long as files live: a process number alone is given
 * again after the process ended, and means something else in a container.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after the start of the machine. */
  readonly started: string;
  /** One start of the machine, of 32 digits: no version of a program has one such. */
  readonly boot: string;
  /** The process namespace, by the number of its inode. */
  readonly namespace: string;
}

/** `<pid>.<started>.<boot>.<namespace>`, fit for a file name. */
export function printIdentity(identity: ProcessIdentity): string {
  return `${identity.pid}.${identity.started}.${identity.boot}.${identity.namespace}`;
}

/** Reads what `printIdentity` wrote at the start of `text`; undefined for anything else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [, pid, started, boot, namespace] = /^(\d+)\.(\d+)\.([0-9a-f]{32})\.(\d+)/.exec(text) ?? [];
  if (pid === undefined || started === undefined || boot === undefined || namespace === undefined) return undefined;
  return { pid: Number(pid), started, boot, namespace };
}

let own: Promise<ProcessIdentity> | undefined;

/** The identity of this process. */
export function ownIdentity(): Promise<ProcessIdentity> {
  return (own ??= (async () => {
    const [started, boot, namespace] = await Promise.all([
      startTime(process.pid),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      readlink("/proc/self/ns/pid"),
    ]);
    return {
      pid: process.pid,
      started: started ?? "0",
      boot: boot.replace(/[^0-9a-f]/g, ""),
      namespace: namespace.replace(/\D/g, ""),
    };
  })());
}

/**
 * Whether a process still runs. One in another process namespace cannot be
 * seen from here, so it counts as running: a lock is rather kept than broken.
 */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  const self = await ownIdentity();
  if (identity.boot !== self.boot) return false;
  if (identity.namespace !== self.namespace) return true;
  return (await startTime(identity.pid)) === identity.started;
}

/** When a process started; undefined if there is none of that number. */
async function startTime(pid: number): Promise<string | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may hold anything; the 22nd is the start.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  // A zombie has let go of everything, unless one of its threads is still in a system call: that may be a rename.
  const ended = state === "X" || (state === "Z" && Number(fields[17]) <= 1);
  return ended ? undefined : fields[19];
}
