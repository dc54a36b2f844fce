import * as Effect from "effect/Effect";
import t from "tap";
import { spawnSync } from "node:child_process";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseBootTiming } from "#lib/machine/boot-timing.ts";
import { bootTest, type BootTest } from "#lib/machine/boot-test.ts";
import type { AssertionData } from "#lib/machine/assertion-data.ts";
import { powerCutCredentials, powerCutMark, type PowerCutData } from "#lib/machine/power-cut.ts";
import { fakeMachine, quietHost, temporaryDirectory, type FakeMachine } from "./fake-guest.ts";

const test = (fake: FakeMachine, assertions: BootTest["assertions"]) =>
  bootTest({ name: "fake", machine: fake.options, assertions, pace: quietHost }).pipe(Effect.provide(fake.layer));

t.test("a boot test reports every assertion as it goes", async (t) => {
  const fake = await fakeMachine(t);
  const report = await Effect.runPromise(
    test(fake, [
      { description: "it can add", command: "echo $((1 + 2))", expect: { stdout: { equals: "3" } } },
      { description: "false fails", command: "false", expect: { status: 1 } },
      { description: "a line matches", command: "printf 'a\\nb42\\nc\\n'", expect: { stdout: { matches: "^b\\d+$" } } },
      { description: "code works too", run: (machine) => Effect.asVoid(machine.succeed("true")) },
    ]),
  );
  t.match(report, {
    name: "fake",
    results: { length: 5 },
    boots: [{ shellSeconds: Number, serialLog: join(fake.directory, "logs/serial.log") }],
  });
  t.ok(report.results.every(({ passed, detail }) => passed && detail === ""));
  t.strictSame(
    fake.events,
    ["the machine boots as far as a root shell", "it can add", "false fails", "a line matches", "code works too"].map(
      (assertion) => ({
        type: "check-result",
        check: "fake",
        assertion,
        passed: true,
        detail: "",
      }),
    ),
  );
});

t.test("all failures come together, with what was expected and found, and the guest's journal is kept", async (t) => {
  const fake = await fakeMachine(t, { journalctl: "echo the whole story" });
  const failure = await Effect.runPromise(
    Effect.flip(
      test(fake, [
        { description: "a wrong sum", command: "echo 3; echo hint >&2", expect: { stdout: { equals: "4" } } },
        { description: "a wrong status", command: "echo said; exit 5", expect: {} },
        { description: "a right one", command: "true", expect: {} },
        { description: "no match", command: "echo x", expect: { stdout: { matches: "^y$" } } },
      ]),
    ),
  );
  t.match(failure, {
    _tag: "BootTestFailedError",
    assertions: 5,
    failures: [
      { description: "a wrong sum", detail: 'expected "4", but got "3"\nhint' },
      { description: "a wrong status", detail: "expected exit status 0, but got exit status 5\nsaid" },
      { description: "no match", detail: 'expected something that matches /^y$/, but got "x"' },
    ],
    message: /3 of 5 assertions failed[^]*- a wrong sum\n {4}expected "4", but got "3"[^]*serial log: [^]*journal: /,
  });
  t.equal(await readFile(join(fake.directory, "logs/journal.log"), "utf8"), "the whole story\n");
  t.strictSame(
    fake.events.map((event) => event.type === "check-result" && event.passed),
    [true, false, false, true, false],
  );
});

t.test("a machine that dies fails what is left", async (t) => {
  const fake = await fakeMachine(t, {}, 'echo $$ >"$work/pid"; echo "Oops: 0" >"$serial"; guest');
  const failure = await Effect.runPromise(
    Effect.flip(
      test(fake, [
        { description: "kills it", command: `kill -9 -$(cat ${fake.directory}/scratch/machine-*/pid)`, expect: {} },
        { description: "comes too late", command: "true", expect: {} },
      ]),
    ),
  );
  t.match(failure, {
    failures: [
      { description: "kills it", detail: /QEMU was killed by SIGKILL[^]*Oops: 0/ },
      { description: "comes too late", detail: /not tried/ },
    ],
    journals: [],
    message: /2 of 3 assertions failed\n- kills it\n[^]*\n1 of them were not tried[^]*serial log: /,
  });
});

/** A guest whose disk is a file: `systemctl reboot` ends the machine, and the next one finds what was written. */
const rebooting = { systemctl: 'kill "$machine"', journalctl: "echo the story" };

const reboot = (fake: FakeMachine, reboot: NonNullable<BootTest["reboot"]>, more: Partial<BootTest> = {}) =>
  bootTest({ name: "fake", machine: fake.options, assertions: [], reboot, pace: quietHost, ...more }).pipe(
    Effect.provide(fake.layer),
  );

t.test("a reboot finds the disk as the first boot left it", async (t) => {
  const fake = await fakeMachine(t, rebooting);
  const report = await Effect.runPromise(
    reboot(
      fake,
      {
        persistent: [{ description: "the disk", command: 'cat "$disk"' }],
        assertions: [{ description: "it is there", command: 'grep first "$disk"', expect: {} }],
      },
      { diskMiB: 64, assertions: [{ description: "writes", command: 'echo first >>"$disk"', expect: {} }] },
    ),
  );
  t.strictSame(
    report.results.map(({ description }) => description),
    [
      "the machine boots as far as a root shell",
      "writes",
      "what is to survive the reboot is there",
      "the machine reboots when it is told to",
      "after the reboot: the machine boots as far as a root shell",
      "after the reboot: the kernel has started anew",
      "after the reboot: it is there",
      "after the reboot: the disk is as before",
    ],
  );
  t.strictSame(
    report.boots.map(({ serialLog }) => serialLog),
    ["first-boot", "second-boot"].map((boot) => join(fake.directory, "logs", boot, "serial.log")),
  );
  t.equal(await readFile(fake.options.image, "utf8"), "", "the image is as it was");
  t.strictSame((await readdir(fake.options.directory)).sort(), ["first-boot", "second-boot"]);
  t.strictSame(await readdir(fake.options.temporary), [], "the disk is gone");
});

t.test("what a reboot changes, or did not exist before it, is a failure", async (t) => {
  const fake = await fakeMachine(t, rebooting);
  const failure = await Effect.runPromise(
    Effect.flip(
      reboot(fake, {
        persistent: [
          { description: "the boot", command: "cat /proc/sys/kernel/random/boot_id" },
          { description: "nothing", command: "true" },
          { description: "the weather", command: "echo sunny; false" },
        ],
        assertions: [{ description: "wrong", command: "false", expect: {} }],
      }),
    ),
  );
  t.match(failure, {
    assertions: 9,
    failures: [
      {
        description: "what is to survive the reboot is there",
        detail: /nothing: exit status 0, output ""[^]*the weather: exit status 1, output "sunny\\n"/,
      },
      { description: "after the reboot: wrong" },
      { description: "after the reboot: the boot is as before", detail: /expected .*machine-.* but got .*machine-/ },
      { description: "after the reboot: nothing is as before", detail: /nothing before the reboot/ },
      { description: "after the reboot: the weather is as before", detail: /nothing before the reboot/ },
    ],
    serialLogs: { length: 2 },
    journals: ["first-boot", "second-boot"].map((boot) => join(fake.directory, "logs", boot, "journal.log")),
  });
});

t.test("without a reboot nothing that follows counts", async (t) => {
  const after = { description: "later", command: "true", expect: {} };
  const failures = async (systemctl: string) => {
    const fake = await fakeMachine(t, { ...rebooting, systemctl });
    const test = reboot(fake, { persistent: [], assertions: [after] });
    return Effect.runPromise(Effect.flip(test));
  };
  t.match(await failures('kill -9 -"$machine"'), {
    failures: [
      { description: "the machine reboots when it is told to", detail: /QEMU was killed by SIGKILL/ },
      { description: "after the reboot: the machine boots as far as a root shell", detail: /not tried/ },
      { description: "after the reboot: the kernel has started anew", detail: /not tried/ },
      { description: "after the reboot: later", detail: /not tried/ },
    ],
  });
});

t.test("a system that does not come up again is a failure with the console's last lines", async (t) => {
  const once = `if [ -e "$disk.booted" ]; then echo "EFI: no boot option" >"$serial"; exit 0; fi; touch "$disk.booted"; guest`;
  const fake = await fakeMachine(t, rebooting, once);
  t.match(await Effect.runPromise(Effect.flip(reboot(fake, { persistent: [], assertions: [] }))), {
    failures: [
      {
        description: "after the reboot: the machine boots as far as a root shell",
        detail: /QEMU ended with exit status 0[^]*EFI: no boot option/,
      },
      { description: "after the reboot: the kernel has started anew", detail: /not tried/ },
    ],
    serialLogs: { length: 2 },
  });
});

/** A guest in which the moment of a power cut comes at once, after it has written to its disk. */
const interrupted = `if grep -qs stand-in "$work"/credential-*; then echo cut >>"$disk"; echo "${powerCutMark}" >>"$serial"; sleep 1000; else guest; fi`;

const cut = (description: string): PowerCutData => ({
  description,
  unit: "p.service",
  program: "mkfs",
  when: "before",
});

const cutPower = (fake: FakeMachine, cuts: readonly PowerCutData[], more: Partial<BootTest> = {}) =>
  bootTest({
    name: "fake",
    machine: fake.options,
    assertions: [],
    powerCuts: [
      {
        cuts,
        assertions: [
          { description: "sane", command: `cat "$disk"`, expect: { stdout: { equals: "disk of 0\ncut\ncut" } } },
        ],
      },
    ],
    pace: quietHost,
    ...more,
  }).pipe(Effect.provide(fake.layer));

t.test("after power cuts, one disk is booted again, and it is another one than that of the other boots", async (t) => {
  const fake = await fakeMachine(t, rebooting, interrupted);
  const cuts = [cut("before there is a file system"), cut("once more")];
  const report = await Effect.runPromise(cutPower(fake, cuts, { reboot: { persistent: [], assertions: [] } }));
  t.strictSame(report.results.map(({ description }) => description).slice(-4), [
    "the power fails before there is a file system",
    "the power fails once more",
    "after the power cuts: the machine boots as far as a root shell",
    "after the power cuts: sane",
  ]);
  t.strictSame(
    report.boots.map(({ serialLog }) => serialLog),
    ["first-boot", "second-boot", ...["cut-1", "cut-2", "afterwards"].map((boot) => `power-cuts-1/${boot}`)].map(
      (boot) => join(fake.directory, "logs", boot, "serial.log"),
    ),
  );
  t.strictSame(await readdir(fake.options.temporary), [], "both disks are gone");
});

t.test("a power cut whose moment never comes is a failure, and nothing after it counts", async (t) => {
  const fake = await fakeMachine(
    t,
    {},
    `if grep -qs stand-in "$work"/credential-*; then echo "no mkfs here" >"$serial"; exit 3; else guest; fi`,
  );
  t.match(await Effect.runPromise(Effect.flip(cutPower(fake, [cut("first"), cut("then")]))), {
    failures: [
      { description: "the power fails first", detail: /QEMU ended with exit status 3 while 'helios: [^]*no mkfs here/ },
      { description: "the power fails then", detail: /not tried/ },
      { description: "after the power cuts: the machine boots as far as a root shell", detail: /not tried/ },
      { description: "after the power cuts: sane", detail: /not tried/ },
    ],
  });
});

t.test("the moment of a power cut is told before, during or after a program with a certain argument", async (t) => {
  const directory = await temporaryDirectory(t);
  /** Calls the stand-in as the guest would, and prints what happened in order. */
  const call = async (when: PowerCutData["when"], ...args: string[]) => {
    const data: PowerCutData = { ...cut("d"), program: "it's real", argument: "--append", when };
    const script = powerCutCredentials(data).find(({ name }) => name === "power-cut.program")!.content;
    await writeFile(join(directory, "it's real"), `#!/bin/sh\necho "real $*"\n`, { mode: 0o755 });
    const here = script
      .replaceAll(">/run/helios-power-cut/moment", "")
      .replaceAll("/run/helios-power-cut", directory)
      .replaceAll("sleep 60", "exit 9");
    await writeFile(join(directory, "stand-in"), here, { mode: 0o755 });
    return spawnSync(join(directory, "stand-in"), args, { encoding: "utf8" });
  };
  t.match(await call("before", "--append", "x"), { stdout: `${powerCutMark}\n`, status: 9 });
  t.match(await call("during", "--append", "x"), { stdout: `${powerCutMark}\nreal --append x\n`, status: 0 });
  t.match(await call("after", "--append", "x"), { stdout: `real --append x\n${powerCutMark}\n`, status: 9 });
  t.match(await call("before", "--json", "x"), { stdout: "real --json x\n", status: 0 }, "another call");
});

t.test("a boot's time is told from the guest's clock and the host's", async (t) => {
  const systemctl = `case "$1" in get-default) echo multi-user.target ;; show) echo 1500000 ;; esac`;
  const fake = await fakeMachine(t, { systemctl });
  const report = await Effect.runPromise(test(fake, []));
  // The uptime is the host's, which has run for longer than this machine.
  t.match(report.boots, [{ timing: { target: "multi-user.target", kernelSeconds: 1.5, machineSeconds: 1.5 } }]);
  t.match(parseBootTiming("10.25 8500000 multi-user.target\n", 14), { kernelSeconds: 8.5, machineSeconds: 12.25 });
  t.equal(parseBootTiming("10.25 0 multi-user.target\n", 14), undefined, "not reached");
  t.equal(parseBootTiming("", 14), undefined);
});

t.test("a disk that cannot be made stops the test before the boot", async (t) => {
  const broken = await fakeMachine(t, {}, undefined, 'echo "qemu-img: no space left" >&2; exit 1');
  const start = (fake: FakeMachine) =>
    Effect.runPromise(Effect.flip(reboot(fake, { persistent: [], assertions: [] }, { diskMiB: 1 })));
  t.match(await start(broken), { _tag: "MachineStartError", message: /make a disk over the image: .*no space left/ });
  const large = await fakeMachine(t);
  await truncate(large.options.image, 2 * 1024 * 1024);
  t.match(await start(large), { message: /put the image on a disk of 1 MiB: the image alone has 2 MiB/ });
  t.strictSame(await readdir(broken.options.temporary), []);
});

t.test("an expectation may come true later, but not after its time", async (t) => {
  const fake = await fakeMachine(t);
  const count = `cd ${fake.directory}; echo x >>count; wc -l <count`;
  const retried = (equals: string): AssertionData => ({
    description: `counts to ${equals}`,
    command: count,
    expect: { stdout: { equals } },
    retry: true,
    timeout: 2,
  });
  await Effect.runPromise(test(fake, [retried("2")]));
  t.match(await Effect.runPromise(Effect.flip(test(fake, [retried("99")]))), {
    failures: [{ detail: /expected "99", but got "\d"/ }],
  });
});

t.test("a pattern that is none is refused before anything starts", async (t) => {
  const fake = await fakeMachine(t);
  const failure = await Effect.runPromise(
    Effect.flip(test(fake, [{ description: "d", command: "true", expect: { stdout: { matches: "(" } } }])),
  );
  t.match(failure, { _tag: "InvalidAssertionError", message: /assertion 'd': .*\(/ });
  t.strictSame(fake.events, []);
});
