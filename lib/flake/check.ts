import type { Derivation } from "#lib/derivations/derivation.ts";
import type { AssertionData } from "#lib/machine/assertion-data.ts";

/** A boot test as an output of a flake: what to build, and what to verify once it has booted. */
export interface BootCheck {
  /** Everything to build before the boot; also what only has to build, such as a check of the image's libraries. */
  readonly derivations: readonly Derivation[];
  /** The tool root with QEMU. */
  readonly qemu: Derivation;
  /** Where the parts are: an output, and a path below it (empty for the output itself). */
  readonly image: BuiltFile;
  readonly kernel: BuiltFile;
  readonly initrd: BuiltFile;
  readonly commandLine: string;
  readonly assertions: readonly AssertionData[];
}

/** A file in the first output of a derivation. */
export interface BuiltFile {
  readonly derivation: Derivation;
  readonly path: string;
}
