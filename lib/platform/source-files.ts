/** The disk, for the evaluator's messages and data modules: a handful of files, read while a message is made. */
import { readFileSync } from "node:fs";
import { useSourceFiles } from "#lib/evaluator/source-files.ts";

useSourceFiles({ read: (file) => readFileSync(file), directory: () => process.cwd() });
