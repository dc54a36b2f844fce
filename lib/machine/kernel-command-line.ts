import type { TimeLimits } from "./time-limits.ts";

/**
 * What a test adds to the image's own kernel command line.
 *
 * None of it changes what user space is or does; it only makes an emulated
 * processor faster and a panic visible. Measured under TCG on a busy machine, in
 * seconds of the host's processors until nothing is left to start: 46 without
 * `norandmaps` and what follows it, 37 to 41 with.
 */
export const tuningWords: readonly string[] = [
  // These two also switch off kernel page-table isolation; without them a boot takes almost twice as long.
  "mitigations=off",
  "nokaslr",
  // Programs that lie at the same addresses share translated code.
  "norandmaps",
  // Nobody waits for the other processor's turn when a module is loaded or a file system mounted.
  "rcupdate.rcu_expedited=1",
  "init_on_alloc=0",
  "cryptomgr.notests",
  "audit=0",
  // Each line on the serial port costs time.
  "quiet",
  "loglevel=3",
  "systemd.show_status=false",
  // A panic resets the machine; with QEMU's -no-reboot that ends it, so a panic fails at once instead of timing out.
  "panic=-1",
];

/** systemd's own patience with devices and services, which are as slow as the host: its defaults of 90 seconds, scaled. */
export function patienceWords(limits: TimeLimits): string[] {
  const seconds = Math.ceil(limits.seconds(90));
  return [`systemd.default_device_timeout_sec=${seconds}`, `systemd.default_timeout_start_sec=${seconds}`];
}

/** The longest command line that an arm64 kernel takes, in bytes. */
const longestCommandLine = 2047;

/** Joins the image's command line with further words; undefined when the kernel would cut it off. */
export function kernelCommandLine(own: string, words: readonly string[]): string | undefined {
  const line = [own.trim(), ...words].filter((word) => word !== "").join(" ");
  return Buffer.byteLength(line) <= longestCommandLine ? line : undefined;
}
