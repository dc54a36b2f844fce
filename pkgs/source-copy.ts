import { join } from "node:path";
import { source } from "#lib/derivations/source.ts";

/** Shell functions of scripts that build in a copy of their sources; each gets it as the variable `sourceCopy`. */
export const sourceCopy = source({ path: join(import.meta.dirname, "source-copy.sh") });
