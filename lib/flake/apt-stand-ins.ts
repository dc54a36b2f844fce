import * as Effect from "effect/Effect";
import { parseStanzas } from "./apt-output.ts";
import { runApt, type AptWorkspace } from "./apt-workspace.ts";
import type { EnvironmentRequest } from "./lock.ts";

/**
 * dpkg's status file in which the excluded packages count as installed: with version and what they provide,
 * but without dependencies and conflicts. A name that no package has stands for something virtual.
 */
export const standIns = Effect.fnUntraced(function* (
  workspace: AptWorkspace,
  view: string,
  request: EnvironmentRequest,
) {
  const excluded = request.excluded ?? [];
  if (excluded.length === 0) return "";
  const [native = "amd64", ...foreign] = request.architectures;
  const everywhere = [native, ...foreign].flatMap((architecture) =>
    excluded.filter((name) => !name.includes(":")).map((name) => `${name}:${architecture}`),
  );
  const qualified = excluded.filter((name) => name.includes(":"));
  // Exit status and complaints tell of names without a real package, which are expected here.
  const { stdout } = yield* runApt(workspace, view, "apt-cache", [
    "show",
    "--no-all-versions",
    ...everywhere,
    ...qualified,
  ]);
  return printStandIns(excluded, native, parseStanzas(stdout));
});

/** The status file's text; `stanzas` are the archive's own of the excluded packages. */
function printStandIns(
  excluded: readonly string[],
  native: string,
  stanzas: readonly ReadonlyMap<string, string>[],
): string {
  const printed = new Map<string, string>();
  for (const stanza of stanzas) {
    const name = stanza.get("Package");
    const architecture = stanza.get("Architecture");
    if (name === undefined || architecture === undefined) continue;
    // Only packages marked so may be installed for two architectures.
    const usable = architecture === native || architecture === "all" || stanza.get("Multi-Arch") === "same";
    const key = `${name}:${architecture}`;
    if (usable && !printed.has(key)) printed.set(key, printStandIn(stanza));
  }
  const real = new Set(stanzas.map((stanza) => stanza.get("Package")));
  for (const name of excluded) {
    if (real.has(name) || name.includes(":")) continue;
    const provider = {
      Package: `helios-stand-in-${name}`,
      Version: "1",
      Architecture: "all",
      "Multi-Arch": "foreign",
      Provides: name,
    };
    printed.set(name, printStandIn(new Map(Object.entries(provider))));
  }
  return [...printed.keys()]
    .sort()
    .map((key) => printed.get(key) ?? "")
    .join("\n");
}

function printStandIn(stanza: ReadonlyMap<string, string>): string {
  const fields = ["Package", "Version", "Architecture", "Multi-Arch", "Provides"].flatMap((field) => {
    const value = stanza.get(field);
    return value === undefined ? [] : [`${field}: ${value}\n`];
  });
  return `${fields.join("")}Status: hold ok installed\nMaintainer: nobody\nDescription: stands in for an excluded package\n`;
}
