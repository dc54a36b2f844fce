import type { Derivation } from "#lib/derivations/derivation.ts";
import type { AssertionData, PersistentData } from "#lib/machine/assertion-data.ts";
import type { PowerCutSeriesData } from "#lib/machine/power-cut.ts";

/** A boot test as an output of a flake: what to build, and what to verify once it has booted from its disk alone. */
export interface BootCheck {
  /** Everything to build before the boot; also what only has to build, such as a check of the image's libraries. */
  readonly derivations: readonly Derivation[];
  /** The tool root with QEMU and qemu-img. */
  readonly qemu: Derivation;
  /** EFI firmware. Kernel, initial RAM disk and command line are the ones on the disk. */
  readonly firmware: BuiltFile;
  readonly image: BuiltFile;
  /** Size of the disk that the image is put on; null for the image's own. */
  readonly diskMiB: number | null;
  readonly assertions: readonly AssertionData[];
  /** What is compared before and after a reboot, and what is verified after it. */
  readonly persistent: readonly PersistentData[];
  readonly afterReboot: readonly AssertionData[];
  /** Where the power fails, each series on a disk of its own, and what is verified in the boot after these. */
  readonly powerCuts: readonly PowerCutSeriesData[];
}

/** A file in the first output of a derivation, at a path below it (empty for the output itself). */
export interface BuiltFile {
  readonly derivation: Derivation;
  readonly path: string;
}
