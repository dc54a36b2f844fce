import * as Effect from "effect/Effect";
import { expectEqual, mismatch, type Assertion } from "../assertion.ts";
import type { MountAssertion } from "../assertion-data.ts";

/** One line of /proc/self/mountinfo; see proc_pid_mountinfo(5). */
export interface Mount {
  readonly path: string;
  readonly fileSystem: string;
  readonly source: string;
  /** Of the mount and of the file system. */
  readonly options: readonly string[];
}

export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const fields = left.split(" ");
    const [path, mountOptions] = [fields[4], fields[5]];
    const [fileSystem, source, superOptions] = right.split(" ");
    if (path === undefined || mountOptions === undefined || fileSystem === undefined || source === undefined) return [];
    const options = [...mountOptions.split(","), ...(superOptions ?? "").split(",")].filter((option) => option !== "");
    return [{ path: unescape(path), fileSystem, source: unescape(source), options }];
  });
}

/** Space, tab, line end and backslash are written as octal escapes. */
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** A mounted file system. */
export function mount({ path, fileSystem, options = [] }: MountAssertion): Assertion {
  return {
    description: `${path} is mounted${fileSystem === undefined ? "" : ` as ${fileSystem}`}${options.length === 0 ? "" : ` (${options.join(",")})`}`,
    run: Effect.fnUntraced(function* (machine) {
      const mounts = parseMounts(yield* machine.readFile("/proc/self/mountinfo"));
      const found = mounts.findLast((mount) => mount.path === path);
      if (found === undefined)
        return yield* mismatch(`a file system on ${path}`, "none", mounts.map(({ path }) => path).join(" "));
      if (fileSystem !== undefined) yield* expectEqual(fileSystem, found.fileSystem);
      const missing = options.filter((option) => !found.options.includes(option));
      if (missing.length > 0) return yield* mismatch(`mount options ${options.join(",")}`, found.options.join(","));
    }),
  };
}
