import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import t from "tap";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildResult } from "#lib/build/build.ts";
import { derivation } from "#lib/derivations/derivation.ts";
import { storeDirectory, type StorePath } from "#lib/derivations/store-path.ts";
import type { BootCheck } from "#lib/flake/check.ts";
import { runBootCheck } from "#lib/flake/run-check.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Store } from "#lib/store/store.ts";
import { fakeMachine } from "../machine/fake-guest.ts";

/** A check whose tool root, firmware and image are in a store, and a guest that runs on this machine. */
async function prepare(t: Tap, assertions: BootCheck["assertions"]) {
  const fake = await fakeMachine(t, { systemctl: 'kill "$machine"' });
  const root = join(fake.directory, "store");
  const output = (name: string) => `${storeDirectory}/fnlla6mjqvkrpgrdcgc90lbcbapbagkw-${name}` as StorePath;
  const [qemu, firmware, image] = ["qemu", "firmware", "image"].map((name) => derivation({ name, builder: "/b" }));
  await mkdir(join(root, output("qemu"), "usr"), { recursive: true });
  for (const name of ["firmware", "image"]) await writeFile(join(root, output(name)), "");
  const built = {
    outputs: new Map([qemu!, firmware!, image!].map((it) => [it, new Map([["out", output(it.name)]])])),
  } as unknown as BuildResult;
  const check: BootCheck = {
    derivations: [],
    qemu: qemu!,
    firmware: { derivation: firmware!, path: "" },
    image: { derivation: image!, path: "" },
    diskMiB: 64,
    assertions,
    persistent: [],
    afterReboot: [],
    powerCuts: [],
  };
  const store = Layer.provide(Store.layer({ root }), FileSystem.layer);
  return {
    fake,
    root,
    run: (name: string) => Effect.provide(runBootCheck(name, check, built), Layer.merge(store, fake.layer)),
  };
}

type Tap = Parameters<typeof fakeMachine>[0];

t.test("the disk of a check lies where the store deletes what killed processes leave", async (t) => {
  const state = "/store/nix/var/helios";
  const owned = new RegExp(`${state}/tmp/\\.?${process.pid}\\.\\d+\\.[^/]+/disk-\\w+/overlay\\.qcow2$`);
  const { fake, root, run } = await prepare(t, [
    { description: "where it is", command: 'echo "$disk"', expect: { stdout: { matches: owned.source } } },
  ]);
  const { boots } = await Effect.runPromise(run("fake"));
  t.strictSame(
    boots.map(({ serialLog }) => serialLog),
    ["first-boot", "second-boot"].map((boot) => join(fake.directory, state, "logs/checks/fake", boot, "serial.log")),
  );
  t.strictSame(await readdir(join(root, "nix/var/helios/tmp")), [], "nothing is left");
});

t.test("two checks of one name wait for each other, and two of different names do not", async (t) => {
  // Fails if it is done by two at once.
  const alone = 'mkdir "$disk/../../../alone" && sleep 0.5 && rmdir "$disk/../../../alone"';
  const { run } = await prepare(t, [
    { description: "alone", command: alone.replaceAll("$disk/..", "${disk%/*}"), expect: {} },
  ]);
  const together = (...names: string[]) =>
    Effect.runPromise(Effect.exit(Effect.all(names.map(run), { concurrency: "unbounded" })));
  t.match(await together("one", "one"), { _tag: "Success" });
  t.match(await together("one", "two"), { _tag: "Failure" });
});
