import { posix } from "node:path";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { keptFailure, type Layout } from "#lib/store/layout.ts";
import type { BuilderRun, BuilderView } from "./builder-run.ts";
import { scratchDirectories } from "./sandbox.ts";
import { makeRemovable } from "./scratch.ts";

/**
 * Moves the directory of a failed build to where the user finds it, with a script that enters the same sandbox:
 * it builds again in fresh directories, or with `--shell` opens a shell in what the failed build left.
 *
 * @param command the sandbox's whole command line, or undefined for a builtin builder, which needs none
 * @returns the directory
 */
export async function keepFailed(
  fs: FileSystemShape,
  layout: Layout,
  run: BuilderRun,
  view: BuilderView,
  command: readonly string[] | undefined,
): Promise<string> {
  const kept = keptFailure(layout, run.path);
  await fs.promises.mkdir(posix.dirname(kept), { recursive: true });
  if (await exists(fs, kept)) await makeRemovable(fs, kept);
  await fs.promises.rm(kept, { recursive: true, force: true });
  await fs.promises.rename(run.scratch, kept);
  await fs.promises.mkdir(run.scratch); // The scope that made it removes it.
  if (command !== undefined) {
    await fs.promises.writeFile(posix.join(kept, "replay.sh"), replayScript(command, run, view, kept), { mode: 0o755 });
    const argumentFile = posix.join(kept, "arguments");
    const moved = (await fs.promises.readFile(argumentFile, "utf8")).replaceAll(run.scratch, kept);
    await fs.promises.writeFile(argumentFile, moved);
  }
  return kept;
}

const exists = (fs: FileSystemShape, path: string): Promise<boolean> =>
  fs.promises.lstat(path).then(
    () => true,
    () => false,
  );

function replayScript(
  command: readonly string[],
  { derivation, path, scratch }: BuilderRun,
  view: BuilderView,
  kept: string,
): string {
  const builder = [derivation.builder, ...view.args];
  const enter = command.slice(0, command.length - builder.length).map((word) => quote(word.replaceAll(scratch, kept)));
  const fresh = Object.values(scratchDirectories(kept)).map(quote).join(" ");
  return `#!/bin/sh
# ${path}
# Without arguments: empties the directories of the failed build and builds again.
# With --shell: opens a shell in the sandbox, in the directory that the failed build left.
set -e
if [ "$1" = --shell ]; then
  exec ${enter.join(" ")} /bin/sh -i
fi
for directory in ${fresh}; do
  chmod -R u+w "$directory"
  find "$directory" -mindepth 1 ! -name '.attr-*' -delete
done
exec ${[...enter, ...builder.map(quote)].join(" ")}
`;
}

/** A word for the shell. */
const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
