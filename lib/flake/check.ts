import type { Derivation } from "#lib/derivations/derivation.ts";
import type { AssertionData } from "#lib/machine/assertion-data.ts";

/** A boot test as an output of a flake: what to build, and what to verify once it has booted. */
export interface BootCheck {
  readonly description: string;
  /** The tool root with QEMU. */
  readonly qemu: Derivation;
  /** Strings that mention derivations: files, once these are built. */
  readonly image: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  /** What must hold besides, such as a check of the image's libraries: derivations that only have to build. */
  readonly alsoBuild: readonly Derivation[];
  readonly assertions: readonly AssertionData[];
}
