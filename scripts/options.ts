/** Writes docs/options.md: every option that users see. Run it after a change of options: `npx tsx scripts/options.ts`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { documentationMarkdown, documentOptions } from "#lib/evaluator/index.ts";
import { emptyLock, viewLock } from "#lib/flake/lock.ts";
import { evalSystem } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";

/** Without lines: the document changes when options do, not when they move. */
const placeless = (text: string): string => text.replaceAll(/^(Declared in `[^`:]+):[0-9:]+`/gm, "$1`");

const system = evalSystem({ pkgs: makePackages({ lock: viewLock(emptyLock) }), modules: [] });
await writeFile(
  join(import.meta.dirname, "../docs/options.md"),
  placeless(documentationMarkdown(documentOptions(system), "Options")),
);
