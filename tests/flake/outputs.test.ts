/** The outputs of a flake: how one is named and found, and how a check among them is run. */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as Result from "effect/Result";
import t from "tap";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { BuildResult } from "#lib/build/build.ts";
import { derivation } from "#lib/derivations/derivation.ts";
import { storeDirectory, type StorePath } from "#lib/derivations/store-path.ts";
import type { BootCheck } from "#lib/flake/check.ts";
import { InvalidInstallable, parseInstallable } from "#lib/flake/installable.ts";
import { runBootCheck } from "#lib/flake/run-check.ts";
import { selectAttribute, selectDerivation } from "#lib/flake/select.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Store } from "#lib/store/store.ts";
import { fakeMachine } from "../machine/fake-guest.ts";

const hello = derivation({ name: "hello", builder: "/bin/bash" });
const outputs = {
  packages: { "helios-cm5": hello },
  systems: {
    "helios-cm5": new (class {
      readonly cells = 3;
      readonly options = {};
      get config() {
        return { networking: { hostName: "cm5" } };
      }
    })(),
    workbench: { config: {}, options: {} },
  },
  checks: {},
};

const parse = (text: string) => {
  const parsed = parseInstallable(text);
  if (parsed instanceof InvalidInstallable) throw parsed;
  return parsed;
};

t.test("an installable is an attribute path, with quotes around names that have dots", async (t) => {
  t.strictSame(parse(".#helios-cm5").path, ["helios-cm5"]);
  t.strictSame(parse('#services.units."ssh.service".enable').path, ["services", "units", "ssh.service", "enable"]);
  t.strictSame(parse("a.b").path, ["a", "b"]);
  t.strictSame(parse(".").path, []);
});

t.test("a TOML or JSON file is an installable, with attributes of its system after the #", async (t) => {
  t.strictSame(parse("x/build.toml"), { text: "x/build.toml", path: [], file: resolve("x/build.toml") });
  t.strictSame(parse("/x/b.json#config.build").path, ["config", "build"]);
  t.equal(parse("/x/b.json#config.build").file, "/x/b.json");
  t.equal(parse(".#x.toml").file, undefined);
});

t.test("what is no installable is refused with the reason", async (t) => {
  for (const text of [".#a..b", ".#a.", '.#"a', "other#a", ".#.a"]) {
    const parsed = parseInstallable(text);
    t.ok(parsed instanceof InvalidInstallable, text);
    t.match(parsed instanceof InvalidInstallable ? parsed.message : "", "is not an installable");
  }
  for (const text of ["./docs", "/tmp/", "../build.txt"])
    t.match(parseInstallable(text), { message: /^'.*' is not an installable: of files, only those named \*\.toml or/ });
});

t.test("packages come before systems, and a full path is always possible", async (t) => {
  t.equal(Result.getOrThrow(selectDerivation(outputs, parse(".#helios-cm5"))), hello);
  t.equal(
    Result.getOrThrow(selectAttribute(outputs, parse(".#systems.helios-cm5.config.networking.hostName"))).value,
    "cm5",
  );
  t.strictSame(Result.getOrThrow(selectAttribute(outputs, parse(".#workbench"))).path, ["systems", "workbench"]);
});

t.test("an unknown attribute is reported with what was found and a suggestion", async (t) => {
  const message = (text: string) => Result.getOrThrow(Result.flip(selectAttribute(outputs, parse(text)))).message;
  t.match(message(".#helios-cm"), "Did you mean 'helios-cm5'?");
  t.match(
    message(".#systems.helios-cm5.config.networkin"),
    "'systems.helios-cm5.config' has no attribute 'networkin'. Did you mean 'networking'?",
  );
  t.match(message(".#systems.helios-cm5.config.networking.hostName.length"), "no attribute 'length'");
  t.match(message(".#zzz"), "It has: helios-cm5, packages, systems, checks.");
  t.match(message(".#systems.helios-cm5.confg"), "Did you mean 'config'?");
  t.match(message(".#toString"), "no attribute 'toString'");
});

t.test("what is not a derivation cannot be built", async (t) => {
  const error = Result.getOrThrow(Result.flip(selectDerivation(outputs, parse(".#workbench"))));
  t.equal(
    error.message,
    ".#workbench: 'systems.workbench' is a set of attributes, not a derivation. 'show' lists what there is.",
  );
});

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

t.test("a journal that an earlier run of a check left is not taken for one of this run", async (t) => {
  const { root, run } = await prepare(t, []);
  const logs = join(root, "nix/var/helios/logs/checks/fake/first-boot");
  await mkdir(logs, { recursive: true });
  await writeFile(join(logs, "journal.log"), "of a boot that failed yesterday");
  await Effect.runPromise(run("fake"));
  t.strictSame(await readdir(logs), ["serial.log"]);
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
