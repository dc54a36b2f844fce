import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { rustArtifact } from "../rust/artifact.ts";

/** HeliOS's engine: `bin/helios-engine`, started by systemd when a client connects to its socket. */
export const heliosEngine = (toolchain: Derivation): Derivation =>
  rustArtifact(toolchain, {
    name: "helios-engine",
    source: source({ path: join(import.meta.dirname, "backend"), name: "helios-source" }),
    package: "helios-engine",
    binaries: ["helios-engine"],
  });
