import * as Effect from "effect/Effect";
import { join } from "node:path";
import type { BuildResult } from "#lib/build/build.ts";
import { bootTest, type BootTestReport } from "#lib/machine/boot-test.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { storeError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import type { BootCheck, BuiltFile } from "./check.ts";

/** What came of a check. */
export type CheckReport = BootTestReport;

/** Boots what was built for a check, twice, and verifies its assertions. */
export const runBootCheck = Effect.fnUntraced(function* (name: string, check: BootCheck, built: BuildResult) {
  const store = yield* Store;
  const { promises } = yield* FileSystem;
  const physical = ({ derivation, path }: BuiltFile): string => {
    const output = built.outputs.get(derivation)?.get(derivation.outputs[0] ?? "out");
    if (output === undefined)
      throw new TypeError(`${derivation.name} is not among what was built for the check '${name}'`);
    return join(store.physical(output), path);
  };
  const directory = join(store.layout.logs, "checks", name);
  yield* Effect.tryPromise({
    try: () => promises.mkdir(directory, { recursive: true }),
    catch: (cause) => storeError("create", directory, cause),
  });
  return yield* bootTest({
    name,
    machine: {
      qemuRoot: physical({ derivation: check.qemu, path: "" }),
      image: physical(check.image),
      boot: { type: "efi", firmware: physical(check.firmware) },
      directory,
    },
    diskMiB: check.diskMiB ?? undefined,
    assertions: check.assertions,
    reboot: { persistent: check.persistent, assertions: check.afterReboot },
  });
});
