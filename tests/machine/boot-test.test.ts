/** Boot tests, and the assertions that they are made of. */
import * as Effect from "effect/Effect";
import t from "tap";
import { spawnSync } from "node:child_process";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AssertionData } from "#lib/machine/assertion-data.ts";
import { assertionFrom } from "#lib/machine/assertions/from-data.ts";
import { parseMounts } from "#lib/machine/assertions/mount.ts";
import { parseInterfaces } from "#lib/machine/assertions/network.ts";
import { requestCommand } from "#lib/machine/assertions/socket-activation.ts";
import { bootTest, type BootTest } from "#lib/machine/boot-test.ts";
import { parseBootTiming } from "#lib/machine/boot-timing.ts";
import type { Machine } from "#lib/machine/machine.ts";
import { powerCutCredentials, type PowerCutData, powerCutMark } from "#lib/machine/power-cut.ts";
import { fakeMachine, type FakeMachine, quietHost, temporaryDirectory } from "./fake-guest.ts";

/** A machine that answers commands by the first pattern that fits. */
function scripted(answers: readonly (readonly [pattern: RegExp, stdout: string, status?: number])[]): Machine {
  const run = (command: string) => {
    const answer = answers.find(([pattern]) => pattern.test(command));
    return Effect.succeed({
      status: answer === undefined ? 127 : (answer[2] ?? 0),
      stdout: answer?.[1] ?? "",
      stderr: "",
    });
  };
  const succeed = (command: string) => Effect.map(run(command), ({ stdout }) => stdout);
  const unused = () => Effect.die("not scripted");
  return {
    name: "scripted",
    connect: unused,
    run,
    succeed,
    fail: succeed,
    readFile: succeed,
    waitForConsole: () => Effect.void,
    waitUntilSucceeds: succeed,
    waitForUnit: () => Effect.void,
    seconds: () => 0,
    serialLog: Effect.succeed(""),
    serialLogPath: "",
    monitor: () => undefined,
    shutdown: unused,
    reboot: unused,
  };
}

/** Undefined if the assertion holds, otherwise its message. */
const verdict = (data: AssertionData, machine: Machine): Promise<string | undefined> =>
  Effect.flatMap(assertionFrom(data), (assertion) => assertion.run(machine)).pipe(
    Effect.match({ onSuccess: () => undefined, onFailure: (error) => error.message }),
    Effect.runPromise,
  );

t.test("assertions", async (t) => {
  t.test("a boot counts only when nothing failed and nothing was given up", async (t) => {
    const booted = { type: "booted" } as const;
    const good = [
      [/is-system-running/, "running\n"],
      [/--failed/, ""],
      [/JOB_RESULT/, ""],
    ] as const;
    t.equal(await verdict(booted, scripted(good)), undefined);
    const failed = scripted([
      [/--failed/, "ssh.service loaded failed failed OpenBSD\ndata.mount loaded failed failed\n"],
      [/status/, "why it failed"],
      ...good,
    ]);
    t.match(await verdict(booted, failed), /no failed unit, but got ssh\.service, data\.mount\nwhy it failed/);
    t.match(
      await verdict(booted, scripted([[/is-system-running/, "maintenance\n", 1], ...good])),
      /"running", but got "maintenance"/,
    );
    const droppedJob = scripted([[/JOB_RESULT/, "Dependency failed for data.mount\n"], ...good]);
    t.match(
      await verdict(booted, droppedJob),
      /Dependency failed for data\.mount/,
      "systemd itself calls such a system running",
    );
  });

  t.test("users, passwords and the host name", async (t) => {
    const alice = {
      type: "user",
      name: "alice",
      uid: 1000,
      groups: ["video", "alice"],
      home: "/home/alice",
      shell: "/bin/bash",
    } as const;
    const guest = scripted([
      // Without getent in the guest, the whole file comes.
      [/getent passwd/, "malice:x:1:1::/:/bin/false\nalice:x:1000:1000:Alice:/home/alice:/bin/bash\n"],
      [/id -Gn 'alice'/, "alice video\n"],
      [/shadow 'root'/, "root:!*:20000::::::\n"],
      [/shadow 'open'/, "open::20000::::::\n"],
      [/shadow 'alice'/, "alice:$y$j9T$secret:20000::::::\n"],
      [/hostname/, "helios\nhelios\n"],
    ]);
    t.equal(await verdict(alice, guest), undefined);
    t.match(await verdict({ ...alice, uid: 1001 }, guest), /"uid":1001.*but got.*"uid":1000/);
    t.match(await verdict({ ...alice, groups: ["alice"] }, guest), /\["alice"\].*but got.*\["alice","video"\]/);
    t.match(await verdict({ ...alice, name: "bob" }, guest), /a user bob, but got no such user/);
    t.equal(await verdict({ type: "password-locked", user: "root" }, guest), undefined);
    t.match(await verdict({ type: "password-locked", user: "open" }, guest), /an empty one/);
    const usable = await verdict({ type: "password-locked", user: "alice" }, guest);
    t.match(usable, /one that can be used/);
    t.notMatch(usable, /secret/);
    t.match(await verdict({ type: "password-locked", user: "nobody" }, guest), /in the shadow file, but got none/);
    t.equal(await verdict({ type: "hostname", hostname: "helios" }, guest), undefined);
    t.match(await verdict({ type: "hostname", hostname: "other" }, guest), /but got .*helios/);
  });

  t.test("files, directories and links", async (t) => {
    const guest = scripted([
      [/'\/etc\/motd'/, "644 root root regular file\nhello\nworld\n"],
      [/'\/data'/, "750 helios helios directory\n"],
      [/'\/link'/, "777 root root symbolic link\n/target\n"],
    ]);
    const motd = {
      type: "file",
      path: "/etc/motd",
      content: "hello\nworld\n",
      mode: "644",
      owner: "root",
      group: "root",
    } as const;
    t.equal(await verdict(motd, guest), undefined);
    t.match(await verdict({ ...motd, content: "hello\nmars\n" }, guest), /expected "mars" on line 2, but got "world"/);
    t.match(await verdict({ ...motd, content: "hello\nworld\nmore" }, guest), /expected "more" on line 3, but got ""/);
    t.match(
      await verdict({ ...motd, content: "hello\nworld" }, guest),
      /expected the end of the file on line 3, but got ""/,
    );
    t.match(await verdict({ ...motd, mode: "600" }, guest), /"mode":"600".*but got.*"mode":"644"/);
    t.equal(await verdict({ type: "file", path: "/etc/motd", matches: "^w" }, guest), undefined);
    t.match(await verdict({ type: "file", path: "/etc/motd", matches: "^x" }, guest), /matches \/\^x\//);
    t.equal(await verdict({ type: "file", path: "/data", kind: "directory", owner: "helios" }, guest), undefined);
    t.match(await verdict({ type: "file", path: "/data" }, guest), /a file, but got a directory/);
    t.equal(await verdict({ type: "file", path: "/link", kind: "symlink", target: "/target" }, guest), undefined);
    t.match(await verdict({ type: "file", path: "/gone" }, guest), /the file \/gone, but got none/);
  });

  t.test("a socket-activated service is stopped before, answers, and runs after", async (t) => {
    const data = {
      type: "socket-activation",
      socket: "e.socket",
      service: "e.service",
      path: "/run/e.sock",
      request: "it's",
      answer: { version: "1.0" },
    } as const;
    const machine = (before: string, answer: string, after: string): Machine => {
      let shows = 0;
      const base = scripted([
        [/systemd-run/, answer],
        [/status|journalctl/, "its status"],
      ]);
      return {
        ...base,
        run: (command, limit) =>
          command.includes("systemctl show")
            ? Effect.succeed({
                status: 0,
                stdout: `LoadState=loaded\nActiveState=${shows++ === 0 ? before : after}\n`,
                stderr: "",
              })
            : base.run(command, limit),
      };
    };
    const line = '{"name":"helios-engine","version":"1.0"}\n';
    t.equal(await verdict(data, machine("inactive", line, "active")), undefined);
    t.match(await verdict(data, machine("active", line, "active")), /"inactive", but got "active"/);
    t.match(
      await verdict(data, machine("inactive", line, "failed")),
      /e\.service is failed after the request[^]*its status/,
    );
    t.match(
      await verdict(data, machine("inactive", "it's\n", "active")),
      /a line of JSON, but got "it's\\n"/,
      "an echo is no answer",
    );
    t.match(await verdict(data, machine("inactive", '{"version":"0.9"}', "active")), /"1\.0".*but got.*"0\.9"/);
    t.match(requestCommand("/run/e.sock", undefined), /--property='StandardInput=file:\/run\/e\.sock'/);
  });

  t.test("the journal may hold no complaint of given units, and must hold something", async (t) => {
    const entry = (fields: object) => `${JSON.stringify({ __CURSOR: "s=1", ...fields })}\n`;
    const others =
      entry({ _SYSTEMD_UNIT: "dbus.service", MESSAGE: "theirs" }) +
      entry({ SYSLOG_IDENTIFIER: "kernel", MESSAGE: "oops" });
    const guest = (complaints: string, first = "systemd 257 running\n") =>
      scripted([
        [/_PID=1/, first],
        [/--priority=warning --output=json/, complaints],
      ]);
    const journal = { type: "journal", units: ["api.service", "report@.service"] } as const;
    t.equal(await verdict(journal, guest(others)), undefined);
    t.match(await verdict(journal, guest("", "\n")), /a journal with entries of systemd, but got an empty one/);
    t.match(
      await verdict(journal, guest(others + entry({ _SYSTEMD_UNIT: "api.service", MESSAGE: [0x6f, 0x68] }))),
      /no warning, but got 1\napi\.service: oh/,
    );
    t.match(
      await verdict(
        journal,
        guest(entry({ _SYSTEMD_UNIT: "init.scope", UNIT: "report@x.service", MESSAGE: "Failed" })),
      ),
      /report@x\.service: Failed/,
      "what systemd says of a unit, and instances of templates",
    );
  });

  t.test("mounts and interfaces are read as the kernel tells them", async (t) => {
    const mountInfo = [
      String.raw`22 1 254:2 / / rw,relatime shared:1 - ext4 /dev/vda2 rw,errors=remount-ro`,
      String.raw`30 22 254:3 / /srv/a\040b rw,noexec - vfat /dev/vda3 rw`,
    ].join("\n");
    t.strictSame(parseMounts(mountInfo)[1], {
      path: "/srv/a b",
      fileSystem: "vfat",
      source: "/dev/vda3",
      options: ["rw", "noexec", "rw"],
    });
    const links = [
      {
        ifname: "lo",
        flags: ["UP", "LOWER_UP"],
        addr_info: [{ family: "inet", local: "127.0.0.1", prefixlen: 8, scope: "host" }],
      },
      {
        ifname: "enp0s3",
        flags: ["UP", "LOWER_UP"],
        addr_info: [
          { family: "inet", local: "10.0.2.15", prefixlen: 24, scope: "global" },
          { family: "inet6", local: "fe80::1", prefixlen: 64, scope: "link" },
        ],
      },
      { ifname: "eth1", flags: ["UP"], addr_info: [] },
    ];
    t.strictSame(parseInterfaces(JSON.stringify(links))[1], { name: "enp0s3", up: true, addresses: ["10.0.2.15/24"] });
    const guest = scripted([
      [/mountinfo/, mountInfo],
      [/^ip /, JSON.stringify(links)],
      [/tcp\/127\.0\.0\.1\/2222/, "HTTP/1.1 400\n"],
      [/tcp\/127\.0\.0\.1\/22/, "SSH-2.0-OpenSSH_10.0\n"],
    ]);
    t.equal(await verdict({ type: "mount", path: "/", fileSystem: "ext4", options: ["rw"] }, guest), undefined);
    t.match(await verdict({ type: "mount", path: "/", fileSystem: "squashfs" }, guest), /"squashfs", but got "ext4"/);
    t.match(
      await verdict({ type: "mount", path: "/", options: ["ro"] }, guest),
      /mount options ro, but got rw,relatime/,
    );
    t.match(await verdict({ type: "mount", path: "/data" }, guest), /on \/data, but got none/);
    t.equal(await verdict({ type: "interface" }, guest), undefined);
    t.equal(await verdict({ type: "interface", name: "enp0s3", address: "10.0.2.15/24" }, guest), undefined);
    t.match(
      await verdict({ type: "interface", name: "eth1" }, guest),
      /eth1 with an address.*eth1 \(down; no address\)/,
    );
    t.match(
      await verdict({ type: "interface", address: "10.0.0.9/8" }, guest),
      /with 10\.0\.0\.9\/8.*enp0s3 \(up; 10\.0\.2\.15\/24\)/,
    );
    t.equal(await verdict({ type: "ssh" }, guest), undefined);
    t.match(await verdict({ type: "ssh", port: 2222 }, guest), /a banner of SSH 2\.0, but got "HTTP\/1\.1 400"/);
  });
});

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
