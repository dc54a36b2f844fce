import * as nodeFs from "node:fs";
import { findRootOutputs, instantiateSources, nothingToDo } from "#lib/build/built-already.ts";
import { recordBuild } from "#lib/build/inspect/build-record-file.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import type { BegunBuild, BuildRequest } from "#lib/flake/build.ts";
import type { FlakeOutputs, LocatedFlake } from "#lib/flake/flake.ts";
import { type Installable, parseInstallable } from "#lib/flake/installable.ts";
import { selectAsLocked } from "#lib/flake/outputs.ts";
import { defaultRoot, layoutOf } from "#lib/store/layout.ts";
import { StoreReader } from "#lib/store/store-reader.ts";
import { makePrinter } from "../printers/printer.ts";
import type { BuildInput } from "./build.ts";
import { resultLinks, resultText, selectRequest } from "./build-results.ts";

/** What came of beginning a build: it is done, or the engine has to go on, with what is known by now. */
export type Beginning = { readonly done: true } | { readonly done: false; readonly begun?: BegunBuild<BuildRequest> };

const untouched: Beginning = { done: false };

/**
 * Evaluates, and looks whether everything is built; if so, links and prints it. That is what most runs find, and so
 * they load nothing of the engine. Whatever is out of the ordinary is left to the engine, which does it once more and
 * tells what is wrong.
 */
export async function beginBuild(flake: LocatedFlake, input: BuildInput): Promise<Beginning> {
  // What is done instead of a build, what is recorded, and keys, which are to be checked, are the engine's business.
  const { dryRun, rebuild, rebuildAll, shell, record } = input;
  const keys = input.trustedPublicKeys ?? process.env["HELIOS_TRUSTED_PUBLIC_KEYS"] ?? "";
  if (dryRun || rebuild || rebuildAll || shell || record !== undefined || keys !== "") return untouched;
  const installables: Installable[] = [];
  for (const text of input.installables) {
    const installable = text.endsWith(".drv") ? undefined : parseInstallable(text);
    if (installable === undefined || "_tag" in installable) return untouched;
    installables.push(installable);
  }
  const warnAbout: readonly Installable[] = installables.length > 0 ? installables : [{ text: ".", path: [] }];
  const select = (outputs: FlakeOutputs) => selectRequest(outputs, installables, []);
  const evaluation = await selectAsLocked(nodeFs, flake, { ...input, warnAbout }, select);
  if (evaluation === undefined) return untouched;

  const { value, warnings } = evaluation.value;
  const reader = new StoreReader(nodeFs, layoutOf(defaultRoot()));
  try {
    const instantiated = await instantiateSources(reader, value.derivations);
    const found = await findRootOutputs(reader, instantiated.instantiation, value.derivations);
    if (found === undefined) return { done: false, begun: { evaluation, instantiated } };
    // One that is named twice is there twice, as the engine has it.
    const built = value.derivations.map((derivation) => ({
      name: derivation.name,
      outputs: found.get(derivation) ?? new Map<string, StorePath>(),
    }));
    if (!input.noLink) for (const { link, path } of resultLinks(built, input.outLink)) await reader.addRoot(link, path);
    // If this fails, the engine says so.
    for (const root of value.derivations) {
      const origin = value.files?.get(root) ?? flake.directory;
      await recordBuild(nodeFs, reader.layout, instantiated.instantiation, root, origin);
    }
    // There is no progress to be seen, so a live display is not loaded either.
    const quietly = input.progress === "json" || input.progress === "quiet" ? input.progress : "lines";
    const printer = await makePrinter(quietly, process.stderr);
    for (const message of warnings) printer.emit({ type: "warning", message });
    printer.emit(nothingToDo);
    printer.close();
    const text = resultText(built, input.json, (path) => reader.physical(path));
    await new Promise<void>((written) => process.stdout.write(text, () => written()));
    return { done: true };
  } catch {
    return untouched;
  } finally {
    await reader.close();
  }
}
