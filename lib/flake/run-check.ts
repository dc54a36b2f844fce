import * as Effect from "effect/Effect";
import { join } from "node:path";
import type { BuildResult } from "#lib/build/build.ts";
import { withLock } from "#lib/build/lock.ts";
import { bootTest, type BootTestReport } from "#lib/machine/boot-test.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { storeError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import type { BootCheck, BuiltFile } from "./check.ts";

/** What came of a check. */
export type CheckReport = BootTestReport;

/** Boots what was built for a check, and verifies its assertions. Two checks of one name, which log to one place, wait for each other. */
export const runBootCheck = Effect.fnUntraced(function* (name: string, check: BootCheck, built: BuildResult) {
  return yield* withLock(`check-${name}`, `runs the check ${name}`, Effect.scoped(run(name, check, built)));
});

const run = Effect.fnUntraced(function* (name: string, check: BootCheck, built: BuildResult) {
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
    try: async () => {
      // A journal is only written of a boot that fails: one of an earlier run would be taken for this one's.
      await promises.rm(directory, { recursive: true, force: true });
      await promises.mkdir(directory, { recursive: true });
    },
    catch: (cause) => storeError("empty", directory, cause),
  });
  // Among what the store knows the owner of: if this process is killed, the next one deletes the disks.
  const temporary = yield* store.temporaryDirectory;
  return yield* bootTest({
    name,
    machine: {
      qemuRoot: physical({ derivation: check.qemu, path: "" }),
      image: physical(check.image),
      boot: { type: "efi", firmware: physical(check.firmware) },
      directory,
      temporary,
    },
    diskMiB: check.diskMiB ?? undefined,
    assertions: check.assertions,
    reboot: { persistent: check.persistent, assertions: check.afterReboot },
    powerCuts: check.powerCuts,
  });
});
