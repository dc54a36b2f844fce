/** A machine: the channel to its shell, what is asked of it, and the QEMU that it runs in. */
import * as Effect from "effect/Effect";
import * as fc from "fast-check";
import t from "tap";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { MachineLayerError } from "#lib/machine/errors.ts";
import { LineReader } from "#lib/machine/line-reader.ts";
import { type Machine, startMachine } from "#lib/machine/machine.ts";
import { planQemu } from "#lib/machine/qemu-arguments.ts";
import { connectQmp } from "#lib/machine/qmp.ts";
import { printable, serialExcerpt } from "#lib/machine/serial-log.ts";
import { parseAnswer, shellQuote } from "#lib/machine/shell-protocol.ts";
import { longestLimit, timeLimits } from "#lib/machine/time-limits.ts";
import { parseUnitState, unitOutlook } from "#lib/machine/units.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { fakeMachine, type FakeMachine, quietHost, temporaryDirectory, withGuest } from "./fake-guest.ts";

t.test("the channel to the guest's shell", async (t) => {
  t.test("a command's status and both outputs come back", async (t) => {
    const directory = await temporaryDirectory(t);
    await withGuest("sh", directory, (shell) =>
      Effect.gen(function* () {
        yield* shell.connect(10);
        t.strictSame(yield* shell.run("echo out; echo err >&2; exit 3", 10), {
          status: 3,
          stdout: "out\n",
          stderr: "err\n",
        });
        t.strictSame(yield* shell.run("exit 0", 10), { status: 0, stdout: "", stderr: "" });
        t.match(
          yield* shell.run("if", 10),
          { status: 2, stderr: /yntax/ },
          "a syntax error harms only its own command",
        );
        t.match(
          yield* shell.run("read -r line; echo \"got '$line'\"", 10),
          { stdout: "got ''\n" },
          "standard input is empty",
        );
        const { stdout } = yield* shell.run("head -c 1500000 /dev/zero | base64 -w0", 10);
        t.equal(stdout.length, 2_000_000);
      }),
    );
  });

  t.test("any text survives the way to the guest and back", async (t) => {
    const directory = await temporaryDirectory(t);
    const text = fc.string({ unit: "grapheme", maxLength: 60 }).filter((value) => !value.includes("\0"));
    await withGuest("sh", directory, (shell) =>
      Effect.andThen(
        shell.connect(10),
        Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(fc.array(text, { maxLength: 3 }), async (words) => {
              const all = words.join("\n");
              const result = await Effect.runPromise(shell.run(`printf %s ${shellQuote(all)}`, 10));
              t.equal(result.stdout, all);
            }),
            { numRuns: 25 },
          ),
        ),
      ),
    );
  });

  t.test("an echo never counts as an answer", async (t) => {
    const directory = await temporaryDirectory(t);
    const failure = await withGuest("cat", directory, (shell) => Effect.flip(shell.connect(1)));
    t.match(failure, { _tag: "ShellTimeout", seconds: 1 });
    const echoing = `while IFS= read -r line; do printf '%s\\n' "$line"; printf '%s\\n' "$line" >&3; done 3>&1 >/dev/null | cat`;
    t.match(await withGuest(echoing, directory, (shell) => Effect.flip(shell.connect(1))), { _tag: "ShellTimeout" });
    // Everything is echoed and carried out, as on a terminal.
    const result = await withGuest("tee /proc/self/fd/3 3>&1 | sh", directory, (shell) =>
      Effect.andThen(shell.connect(10), shell.run("echo computed", 10)),
    );
    t.strictSame(result, { status: 0, stdout: "computed\n", stderr: "" });
  });

  t.test("hostile noise is neither an answer nor in the way of one", async (t) => {
    const directory = await temporaryDirectory(t);
    const noise = String.raw`while :; do printf 'login: \036 1 0 0 . .\n\0369007199254740991 0 4 0 AAAA .\n\036\033[2J'; sleep 0.01; done`;
    const results = await withGuest(`(${noise}) & sh`, directory, (shell) =>
      Effect.andThen(
        shell.connect(10),
        Effect.forEach([1, 2, 3, 4, 5], (n) => shell.run(`echo ${n}; exit ${n}`, 10)),
      ),
    );
    t.strictSame(
      results,
      [1, 2, 3, 4, 5].map((n) => ({ status: n, stdout: `${n}\n`, stderr: "" })),
    );
  });

  t.test("nothing is sent before the guest's shell is there", async (t) => {
    const directory = await temporaryDirectory(t);
    const requests = join(directory, "requests");
    // A firmware that reads whatever comes; the fake guest's greeting is made unreadable.
    const failure = await withGuest(
      `cat >${requests}`,
      directory,
      (shell) => Effect.flip(shell.connect(1)),
      "sed s/is/was/",
    );
    t.match(failure, { _tag: "ShellTimeout" });
    t.equal(await readFile(requests, "utf8"), "");
  });

  t.test("an old answer does not count for a new command", async (t) => {
    const directory = await temporaryDirectory(t);
    // Answers the handshake, then gives that answer again whatever is asked.
    const replay = `sh | { while IFS= read -r line; do printf '%s\\n' "$line"; case $line in *' . .') while :; do printf '%s\\n' "$line"; sleep 0.05; done;; esac; done; }`;
    const failure = await withGuest(replay, directory, (shell) =>
      Effect.andThen(shell.connect(10), Effect.flip(Effect.timeout(shell.run("echo x", 1), 2000))),
    );
    t.equal(failure._tag, "TimeoutError");
  });

  t.test("a damaged answer is an error, not a result", async (t) => {
    const directory = await temporaryDirectory(t);
    const failure = await withGuest("sh | sed -u 's/eHl6/eHl6QUFB/'", directory, (shell) =>
      Effect.andThen(shell.connect(10), Effect.flip(shell.run("printf xyz", 10))),
    );
    t.match(failure, { _tag: "ShellDamaged", problem: /length that the guest computed/ });
  });

  t.test("the end of the guest ends the wait at once", async (t) => {
    const directory = await temporaryDirectory(t);
    t.match(await withGuest("exit 1", directory, (shell) => Effect.flip(shell.connect(60))), { _tag: "ShellClosed" });
    const later = await withGuest("sh", directory, (shell) =>
      Effect.andThen(shell.connect(10), Effect.flip(shell.run('kill -9 "$(ps -o ppid= -p $PPID | tr -d " ")"', 60))),
    );
    t.match(later, { _tag: "ShellClosed" });
  });

  t.test("a command that takes too long is killed, and the next one runs", async (t) => {
    const directory = await temporaryDirectory(t);
    await withGuest("sh", directory, (shell) =>
      Effect.gen(function* () {
        yield* shell.connect(10);
        t.match(yield* Effect.flip(shell.run("sleep 60", 1)), { _tag: "ShellTimeout", seconds: 1 });
        t.match(yield* shell.run("exit 124", 10), { status: 124 }, "the status alone is no time limit");
        t.match(yield* shell.run("echo on", 10), { stdout: "on\n" });
      }),
    );
  });

  t.test("a process left in the background holds nothing up and adds nothing to later answers", async (t) => {
    const directory = await temporaryDirectory(t);
    await withGuest("sh", directory, (shell) =>
      Effect.gen(function* () {
        yield* shell.connect(10);
        const started = performance.now();
        t.match(yield* shell.run("(for _ in $(seq 40); do echo late; sleep 0.05; done) & echo now", 10), {
          stdout: /^(late\n)*now\n(late\n)*$/,
        });
        t.ok(performance.now() - started < 5000);
        // It ends by itself after two seconds: nothing here is of a machine that would be switched off.
        t.equal((yield* shell.run("sleep 0.3; echo alone", 10)).stdout, "alone\n");
      }),
    );
  });

  t.test("commands that cannot be sent are refused", async (t) => {
    const directory = await temporaryDirectory(t);
    await withGuest("sh", directory, (shell) =>
      Effect.gen(function* () {
        yield* shell.connect(10);
        t.match(yield* Effect.flip(shell.run("echo \0", 10)), { _tag: "ShellDamaged", problem: /NUL/ });
        t.match(yield* Effect.flip(shell.run("#".repeat(130_000), 10)), {
          _tag: "ShellDamaged",
          problem: /130000 bytes/,
        });
      }),
    );
  });

  t.test("a line is an answer only with the awaited sum and consistent lengths", async (t) => {
    const encode = (text: string): string => Buffer.from(text).toString("base64");
    const field = (text: string): string => (text === "" ? "." : encode(text));
    const line = (sum: string, status: number, out: string, err: string): string =>
      [sum, status, encode(out).length, encode(err).length, field(out), field(err)].join(" ");
    const text = fc.string({ maxLength: 40 });
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 255 }), (stdout, stderr, status) => {
        const whole = line("42", status, stdout, stderr);
        t.strictSame(parseAnswer(whole, "42"), { type: "answer", answer: { status, stdout, stderr } });
        t.equal(parseAnswer(whole, "43").type, "noise");
        // Cut off, or with something in between, it is never taken for whole.
        for (let cut = 3; cut < whole.length; cut++) t.equal(parseAnswer(whole.slice(0, cut), "42").type, "damaged");
        t.equal(parseAnswer(`${whole}A`, "42").type, "damaged");
        t.equal(parseAnswer(`${whole} A`, "42").type, "damaged");
      }),
      { numRuns: 50 },
    );
    fc.assert(
      fc.property(
        fc.string(),
        (noise) => parseAnswer(noise, "123456789").type === "noise" || noise.startsWith("123456789 "),
      ),
    );
  });

  t.test("lines are the same however the bytes arrive", async (t) => {
    const read = (chunks: readonly Uint8Array[]): { lines: string[]; overflows: number } => {
      const result = { lines: [] as string[], overflows: 0 };
      const reader = new LineReader(
        (line) => result.lines.push(line.toString("latin1")),
        () => result.overflows++,
        100,
      );
      for (const chunk of chunks) reader.push(Buffer.from(chunk));
      return result;
    };
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 }), (chunks) => {
        const whole = Buffer.concat(chunks);
        const expected = whole.toString("latin1").split("\n").slice(0, -1);
        t.strictSame(read(chunks).lines, expected);
        t.strictSame(read([...whole].map((byte) => Uint8Array.of(byte))).lines, expected);
      }),
    );
    t.strictSame(read([Buffer.alloc(101, "x"), Buffer.from("\nnext\n")]), { lines: ["", "next"], overflows: 1 });
  });
});

/** Starts the fake machine and runs `body` with its shell connected. */
const drive = <A>(fake: FakeMachine, body: (machine: Machine) => Effect.Effect<A, unknown>): Promise<A> =>
  Effect.gen(function* () {
    const machine = yield* startMachine(fake.options, { pace: quietHost });
    yield* machine.connect({ timeout: 10 });
    return yield* body(machine);
  }).pipe(Effect.scoped, Effect.provide(fake.layer), Effect.runPromise);

/** The error of a start, or of the first contact. */
const startFailure = (fake: FakeMachine, options: object = {}, timeout = 10): Promise<MachineLayerError> =>
  Effect.flatMap(startMachine({ ...fake.options, ...options }, { pace: quietHost }), (machine) =>
    machine.connect({ timeout }),
  ).pipe(Effect.scoped, Effect.flip, Effect.provide(fake.layer), Effect.runPromise);

t.test("a machine runs commands, reads files and shows what its console said", async (t) => {
  const fake = await fakeMachine(t);
  const path = join(fake.directory, "it's a file");
  await writeFile(path, "first\nsecond");
  await drive(fake, (machine) =>
    Effect.gen(function* () {
      t.equal(yield* machine.succeed("echo $((6 * 7))"), "42\n");
      t.equal(yield* machine.fail("echo no; false"), "no\n");
      t.equal(yield* machine.readFile(path), "first\nsecond");
      t.equal(yield* machine.serialLog, "Linux version 6.12\n");
      t.match(yield* Effect.flip(machine.succeed("echo out; echo why >&2; exit 4")), {
        _tag: "CommandFailedError",
        message: /failed with status 4: echo out[^]*out[^]*why/,
      });
      t.match(yield* Effect.flip(machine.fail("true")), { message: /succeeded but was to fail/ });
    }),
  );
});

t.test("waiting for a command ends with its first success, or tells its last failure", async (t) => {
  const fake = await fakeMachine(t);
  await drive(fake, (machine) =>
    Effect.gen(function* () {
      t.equal(
        yield* machine.waitUntilSucceeds(`cd ${fake.directory}; echo x >>tries; [ $(wc -l <tries) = 3 ] && echo done`),
        "done\n",
      );
      t.match(yield* Effect.flip(machine.waitUntilSucceeds("echo still no; exit 7", { timeout: 1 })), {
        _tag: "TimeLimitError",
        message:
          /waited 1 s for the command to succeed[^]*exit status was 7[^]*still no[^]*last lines of the serial console[^]*Linux version/,
      });
    }),
  );
});

/** A systemctl whose answers to `show` are the files unit-1, unit-2 … in turn, and which logs its calls. */
const systemctl = `
case "$*" in
  *SystemState*) cat "$0.state" ;;
  show*) n=$(cat "$0.count" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$0.count"; f="$0.$n"; [ -e "$f" ] || f="$0.last"; cat "$f" ;;
  status*) echo "x.service - Something; Active: failed" ;;
  poweroff* | reboot*) kill "$machine" ;;
esac`;

const unit = (activeState: string, more = ""): string =>
  `LoadState=loaded\nActiveState=${activeState}\nSubState=x\nResult=exit-code\n${more}`;

async function systemd(fake: FakeMachine, state: string, ...shows: string[]): Promise<void> {
  const file = (suffix: string): string => join(fake.directory, `bin/systemctl.${suffix}`);
  await writeFile(file("state"), `SystemState=${state}\n`);
  await writeFile(file("count"), "0");
  await Promise.all([1, 2, 3].map((index) => rm(file(String(index)), { force: true })));
  await Promise.all(
    shows.map((show, index) => writeFile(file(index === shows.length - 1 ? "last" : String(index + 1)), show)),
  );
}

t.test("waiting for a unit", async (t) => {
  const fake = await fakeMachine(t, { systemctl, journalctl: 'echo "the disk is on fire"' });
  const wait = (timeout = 5) => drive(fake, (machine) => Effect.flip(machine.waitForUnit("x.service", { timeout })));

  await t.test("ends when it becomes active", async () => {
    await systemd(fake, "starting", unit("inactive"), unit("activating", "Job=7\n"), unit("active"));
    await drive(fake, (machine) => machine.waitForUnit("x.service"));
  });
  await t.test("fails at once when the unit has failed, with its status and journal", async (t) => {
    await systemd(fake, "starting", unit("failed"));
    const started = performance.now();
    t.match(await wait(60), {
      _tag: "UnitFailedError",
      message: /unit x\.service has failed: exit-code[^]*Something; Active: failed[^]*the disk is on fire/,
    });
    t.ok(performance.now() - started < 10_000);
  });
  await t.test("fails at once when there is no such unit", async (t) => {
    await systemd(fake, "starting", "LoadState=not-found\nActiveState=inactive\n");
    t.match(await wait(60), { message: /cannot be loaded: its load state is 'not-found'/ });
  });
  await t.test("fails at once when nothing will start it any more", async (t) => {
    await systemd(fake, "running", unit("inactive"));
    t.match(await wait(60), { message: /is inactive, and nothing is about to start it/ });
    await systemd(fake, "degraded", unit("inactive", "ConditionResult=no\nConditionTimestampMonotonic=7\n"));
    t.match(await wait(60), { message: /was skipped: one of its conditions is not met/ });
  });
  await t.test("ends with the time limit and the last state", async (t) => {
    await systemd(fake, "starting", unit("activating"));
    t.match(await wait(1), {
      _tag: "TimeLimitError",
      message: /waited 1 s for unit x\.service to become active[^]*activating \(x\)/,
    });
  });
});

t.test("a guest ends its machine in an orderly way, or not", async (t) => {
  const orderly = await fakeMachine(t, { systemctl });
  await drive(orderly, (machine) => machine.shutdown());
  await drive(orderly, (machine) => machine.reboot());
  const leave = async (script: string) => {
    const fake = await fakeMachine(t, { systemctl: script });
    return drive(fake, (machine) => Effect.flip(machine.reboot({ timeout: 1 })));
  };
  t.match(await leave("echo never mind"), {
    _tag: "TimeLimitError",
    message: /waited 1 s for the guest to reboot[^]*last lines of the serial console[^]*Linux version 6\.12/,
  });
  t.match(await leave('kill -9 -"$machine"'), { message: /QEMU was killed by SIGKILL while the guest to reboot/ });
  t.match(await leave('echo "Kernel panic - not syncing: oops" >>"$serial"; kill "$machine"'), {
    _tag: "MachineStoppedError",
    message: /the guest's kernel panicked[^]*oops/,
  });
});

t.test("a unit's state decides whether waiting makes sense", async (t) => {
  const outlook = (text: string): string => unitOutlook(parseUnitState(text)).type;
  t.equal(outlook(unit("active")), "active");
  t.equal(outlook(unit("reloading")), "active");
  t.equal(outlook(unit("inactive", "Job=12\n")), "pending");
  t.equal(outlook(unit("inactive", "Job=0\n")), "idle");
  t.equal(outlook(unit("deactivating")), "pending");
  t.equal(outlook("LoadState=masked\nActiveState=inactive\n"), "hopeless");
});

t.test("the end of QEMU is told at once, with its last words, the console and the log", async (t) => {
  const fake = await fakeMachine(
    t,
    {},
    'printf "\\033[31mKernel panic\\033[0m - not syncing\\r\\n" >"$serial"; echo "qemu: no room" >&2; exit 3',
  );
  const started = performance.now();
  const failure = await startFailure(fake, {}, 60);
  t.match(failure, {
    _tag: "MachineStoppedError",
    exit: { code: 3 },
    serial: { path: join(fake.directory, "logs/serial.log"), lines: ["Kernel panic - not syncing"] },
    message: /QEMU ended with exit status 3 while the root shell was awaited[^]*qemu: no room[^]*serial\.log/,
  });
  t.ok(performance.now() - started < 10_000);
});

t.test("a silent guest is a time limit with the console's last lines", async (t) => {
  const fake = await fakeMachine(t, {}, 'echo "Waiting for /dev/vda2" >"$serial"; exec sleep 60');
  t.match(await startFailure(fake, {}, 1), {
    _tag: "TimeLimitError",
    message: /waited 1 s for the root shell[^]*Waiting for \/dev\/vda2/,
  });
});

t.test("what cannot be started is an error that names it", async (t) => {
  const fake = await fakeMachine(t);
  const missing = join(fake.directory, "missing");
  t.match(await startFailure(fake, { image: missing }), {
    _tag: "MachineStartError",
    message: /cannot read the image '.*missing': ENOENT/,
  });
  t.match(await startFailure(fake, { qemuRoot: missing }), { message: /cannot read the tool root/ });
  await writeFile(missing, "");
  t.match(await startFailure(fake, { directory: join(missing, "logs") }), { message: /cannot write to/ });
  const boot = { ...fake.options.boot, commandLine: "x".repeat(2000) };
  t.match(await startFailure(fake, { boot }), { message: /longer than the 2047 bytes/ });
});

t.test("the end of the scope leaves no process and no file but the log", async (t) => {
  const fake = await fakeMachine(t, {}, 'sleep 1000 & echo $! >"$serial"; guest');
  const pid = await drive(fake, (machine) => machine.serialLog);
  t.match(pid, /^\d+\n$/);
  // The kernel takes its time to carry a kill out.
  const isGone = () =>
    readFile(`/proc/${pid.trim()}/stat`, "utf8").then(
      (stat) => / Z /.test(stat),
      () => true,
    );
  while (!(await isGone()));
  t.strictSame(await readdir(fake.options.directory), ["serial.log"]);
  t.strictSame(await readdir(fake.options.temporary), []);
});

t.test("QEMU's monitor tells why the machine stopped, however long its path", async (t) => {
  const directory = join(await temporaryDirectory(t), "x".repeat(120));
  await mkdir(directory);
  const commands: string[] = [];
  const server = createServer((socket) => {
    socket.write('{"QMP": {"version": {}}}\r\n');
    socket.on("data", (data) => {
      commands.push(data.toString());
      if (!data.toString().includes("nonsense")) socket.write('{"return": {}}\r\n');
      else socket.write('{"error": {"class": "CommandNotFound", "desc": "no such command"}}\r\n');
      socket.write('{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}\r\nnot JSON\r\n');
    });
  });
  // The server, too, can only name such a path through a descriptor.
  const fs = await Effect.runPromise(Effect.provide(FileSystem, FileSystem.layer));
  const handle = await fs.promises.open(directory, "r");
  await new Promise<void>((resolve) => server.listen(`/proc/self/fd/${handle.fd}/monitor`, resolve));
  t.teardown(() => handle.close());
  const qmp = await connectQmp(fs, directory, "monitor");
  t.strictSame(commands, ['{"execute":"qmp_capabilities"}\n']);
  await t.rejects(qmp.execute("nonsense", { a: 1 }), { message: "no such command" });
  t.equal(qmp.stopReason(), "guest-reset");
  qmp.close();
  await t.rejects(qmp.execute("query-status"), { message: /closed its monitor/ });
  server.close();
});

t.test("QEMU's arguments: the image stays as it is and the shell comes as a credential", async (t) => {
  const options = {
    name: "a,b",
    qemuRoot: "/root",
    boot: { type: "kernel", kernel: "/k", initrd: "/i", commandLine: "root=LABEL=ACTIVE rw" },
    image: "/image",
    disks: [{ path: "/second", serial: "data" }],
    directory: "/logs",
    temporary: "/scratch",
  } as const;
  const plan = planQemu(options, timeLimits(quietHost));
  if ("problem" in plan) throw new Error(plan.problem);
  const line = plan.args.join(" ");
  t.match(line, /-M virt -cpu cortex-a72 -smp 2 -m 1024 -accel tcg,thread=multi/);
  t.match(line, /-append root=LABEL=ACTIVE rw mitigations=off /);
  t.match(line, /systemd\.default_timeout_start_sec=90 /);
  const onBusyHost = planQemu(options, timeLimits({ ...quietHost, loadAverage: 7 }));
  t.match("args" in onBusyHost && onBusyHost.args.join(" "), /systemd\.default_timeout_start_sec=360 /);
  t.equal(plan.args.filter((arg) => arg.includes("snapshot=on")).length, 2, "no disk is written to");
  t.match(line, /name=opt\/io\.systemd\.credentials\/systemd\.extra-unit\.t\.service,file=\/work\/credential-0/);
  t.strictSame(
    plan.files.map(({ role, physical, writable }) => [role, physical, writable]),
    [
      ["kernel", "/k", false],
      ["initrd", "/i", false],
      ["image", "/image", false],
      ["disk0", "/second", false],
    ],
  );
  for (const [name] of plan.workFiles) t.match(line, name);
  t.notMatch(line, /\/root|\/logs|\/scratch/, "QEMU knows no path of the host");

  const long = { name: "a.credential.with.a.very.long.name", content: "value" };
  const withLong = planQemu({ ...options, credentials: [long] }, timeLimits(quietHost));
  t.match(
    "args" in withLong && withLong.args.join(" "),
    /systemd\.set_credential_binary=a\.credential\.with\.a\.very\.long\.name:dmFsdWU=/,
  );
  const firmware = { ...options, boot: { type: "firmware", firmware: "/fw" } } as const;
  t.match(planQemu(firmware, timeLimits(quietHost)), { args: Object });
  t.match(planQemu({ ...firmware, credentials: [long] }, timeLimits(quietHost)), {
    problem: /'a\.credential\.with\.a\.very\.long\.name' is longer than the 28/,
  });

  const efi = { ...options, boot: { type: "efi", firmware: "/fw" }, overlay: "/mine.qcow2" } as const;
  const fromDisk = planQemu(efi, timeLimits(quietHost));
  if ("problem" in fromDisk) throw new Error(fromDisk.problem);
  t.notMatch(fromDisk.args.join(" "), /-kernel|-append|-initrd/, "everything else is on the disk");
  t.match(
    fromDisk.args.join(" "),
    /-bios \/machine\/firmware -smbios type=11,value=io\.systemd\.boot\.kernel-cmdline-extra=mitigations=off nokaslr/,
  );
  t.match(fromDisk.args.join(" "), /id=image,file=\/machine\/overlay,format=qcow2,cache=unsafe /);
  const killed = planQemu({ ...efi, flushes: true }, timeLimits(quietHost));
  t.match("args" in killed && killed.args.join(" "), /format=qcow2,cache=writeback /, "what was flushed is there");
  t.strictSame(
    fromDisk.files.filter(({ writable }) => writable).map(({ physical }) => physical),
    ["/mine.qcow2"],
  );
  t.match(planQemu({ ...efi, credentials: [{ name: long.name, content: "a,b".repeat(600) }] }, timeLimits(quietHost)), {
    problem: /longer than 1536 bytes/,
  });
});

t.test("time limits grow with a slow host and have an end", async (t) => {
  const pace = fc.record({
    loadAverage: fc.double({ min: 0, max: 1000, noNaN: true }),
    processors: fc.integer({ min: 1, max: 64 }),
    shellSeconds: fc.double({ min: 0, max: 1000, noNaN: true }),
  });
  fc.assert(
    fc.property(pace, fc.double({ min: 0, max: 1e6, noNaN: true }), (host, nominal) => {
      const { scale, seconds } = timeLimits(host);
      const slower = timeLimits({ ...host, loadAverage: host.loadAverage + 1 });
      return (
        scale >= 1 &&
        slower.scale >= scale &&
        seconds(nominal) >= Math.min(nominal, longestLimit) &&
        seconds(nominal) <= longestLimit
      );
    }),
  );
  t.equal(timeLimits(quietHost).seconds(60), 60);
  t.equal(timeLimits({ loadAverage: 7, processors: 2 }).seconds(60), 240);
  t.equal(timeLimits({ loadAverage: 0, processors: 2, shellSeconds: 30 }).seconds(60), 180);
});

t.test("a guest cannot drive the user's terminal", async (t) => {
  t.equal(printable("\u001B[2J\u001B]0;title\u0007a\u001B[1;31mb\u001B[0m\r\nc\u0000\u0008\td\u009B5m"), "ab\nc\td5m");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      // oxlint-disable-next-line no-control-regex
      return !/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/.test(printable(text));
    }),
  );
  const directory = await temporaryDirectory(t);
  const path = join(directory, "serial.log");
  await writeFile(
    path,
    `${"x".repeat(70_000)}\n${Array.from({ length: 100 }, (_, n) => `line ${n}\r\n\r\n`).join("")}`,
  );
  const fs = await Effect.runPromise(Effect.provide(FileSystem, FileSystem.layer));
  const { lines } = await Effect.runPromise(serialExcerpt(fs, path));
  t.strictSame([lines.length, lines[0], lines.at(-1)], [25, "line 75", "line 99"]);
  t.strictSame((await Effect.runPromise(serialExcerpt(fs, `${path}.missing`))).lines, []);
});
