import { greeting } from "./shell-protocol.ts";

/**
 * How a test gets into an unmodified image: systemd credentials.
 *
 * systemd (256 or later) reads credentials that QEMU offers as fw_cfg files named
 * `opt/io.systemd.credentials/<name>`, and the kernel's command line word
 * `systemd.set_credential_binary=<name>:<base64>`. Two names have a meaning of
 * their own (systemd.system-credentials(7)): `systemd.extra-unit.<unit>` adds a
 * unit, `systemd.unit-dropin.<unit>` adds to one.
 */

/** A credential: its name, and its bytes as text. */
export interface Credential {
  readonly name: string;
  readonly content: string;
}

const firmwareDirectory = "opt/io.systemd.credentials/";

/** QEMU keeps fw_cfg names in 56 bytes, the terminating zero included. */
const longestFirmwareName = 55;

/** The name of the virtio port that carries the root shell. */
export const shellPort = "helios.shell";

/** The unit that runs the shell. fw_cfg leaves nine characters for the name of an extra unit. */
const shellUnit = "t.service";

/**
 * The credentials that start a root shell on the virtio port.
 *
 * The unit is pulled in by a drop-in of the root mount, which every boot starts,
 * so the kernel's command line stays the image's own. It has no default
 * dependencies: the shell answers early, so a boot that hangs can be examined.
 * A virtio port, unlike a virtual console, has no terminal that echoes and no
 * getty that systemd would start on it.
 */
export function shellCredentials(): Credential[] {
  return [
    { name: `systemd.extra-unit.${shellUnit}`, content: shellUnitText() },
    { name: "systemd.unit-dropin.-.mount", content: `[Unit]\nWants=${shellUnit}\n` },
  ];
}

function shellUnitText(): string {
  // The port's device name depends on the order in which the kernel meets devices, so look for the port's own name.
  // "$$" is systemd's way to write "$" in a command line.
  const script = [
    "while :; do",
    "for port in /sys/class/virtio-ports/*; do",
    `if read -r name <$$port/name && [ "$$name" = ${shellPort} ]; then exec <>/dev/$\${port##*/} >&0; echo; echo ${greeting}; exec sh; fi;`,
    "done; sleep 0.5; done",
  ].join(" ");
  return [
    "[Unit]",
    "Description=Root shell of the boot test",
    "DefaultDependencies=no",
    "Conflicts=shutdown.target",
    "Before=shutdown.target",
    "[Service]",
    `ExecStart=/bin/sh -c '${script}'`,
    "StandardError=journal",
    "TimeoutStopSec=5",
    "",
  ].join("\n");
}

/** How credentials reach the guest. */
export interface PlacedCredentials {
  /** Files for `-fw_cfg`. */
  readonly firmware: readonly { readonly name: string; readonly content: string }[];
  /** Words for the kernel's command line: names that are too long for fw_cfg. */
  readonly words: readonly string[];
}

/** Chooses for each credential the way that has room for its name. */
export function placeCredentials(credentials: readonly Credential[]): PlacedCredentials {
  const firmware: { name: string; content: string }[] = [];
  const words: string[] = [];
  for (const { name, content } of credentials) {
    const firmwareName = `${firmwareDirectory}${name}`;
    if (firmwareName.length <= longestFirmwareName) firmware.push({ name: firmwareName, content });
    else words.push(`systemd.set_credential_binary=${name}:${Buffer.from(content).toString("base64")}`);
  }
  return { firmware, words };
}
