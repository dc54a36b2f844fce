/**
 * What a test adds to the image's own kernel command line.
 *
 * None of it changes what user space is or does; it only makes an emulated
 * processor faster and a panic visible. Measured on two cores under TCG:
 * without the first two a boot takes almost twice as long (they also switch off
 * kernel page-table isolation), and every line on the serial port costs time.
 */
export const tuningWords: readonly string[] = [
  "mitigations=off",
  "nokaslr",
  "audit=0",
  "quiet",
  "loglevel=3",
  "systemd.show_status=false",
  // A panic resets the machine; with QEMU's -no-reboot that ends it, so a panic fails at once instead of timing out.
  "panic=-1",
];

/** The longest command line that an arm64 kernel takes, in bytes. */
const longestCommandLine = 2047;

/** Joins the image's command line with further words; undefined when the kernel would cut it off. */
export function kernelCommandLine(own: string, words: readonly string[]): string | undefined {
  const line = [own.trim(), ...words].filter((word) => word !== "").join(" ");
  return Buffer.byteLength(line) <= longestCommandLine ? line : undefined;
}
