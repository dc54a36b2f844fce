import * as Effect from "effect/Effect";
import t from "tap";
import type { AssertionData } from "#lib/machine/assertion-data.ts";
import { assertionFrom } from "#lib/machine/assertions/from-data.ts";
import { parseMounts } from "#lib/machine/assertions/mount.ts";
import { parseInterfaces } from "#lib/machine/assertions/network.ts";
import { requestCommand } from "#lib/machine/assertions/socket-activation.ts";
import type { Machine } from "#lib/machine/machine.ts";

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
    await verdict(journal, guest(entry({ _SYSTEMD_UNIT: "init.scope", UNIT: "report@x.service", MESSAGE: "Failed" }))),
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
  t.match(await verdict({ type: "mount", path: "/", options: ["ro"] }, guest), /mount options ro, but got rw,relatime/);
  t.match(await verdict({ type: "mount", path: "/data" }, guest), /on \/data, but got none/);
  t.equal(await verdict({ type: "interface" }, guest), undefined);
  t.equal(await verdict({ type: "interface", name: "enp0s3", address: "10.0.2.15/24" }, guest), undefined);
  t.match(await verdict({ type: "interface", name: "eth1" }, guest), /eth1 with an address.*eth1 \(down; no address\)/);
  t.match(
    await verdict({ type: "interface", address: "10.0.0.9/8" }, guest),
    /with 10\.0\.0\.9\/8.*enp0s3 \(up; 10\.0\.2\.15\/24\)/,
  );
  t.equal(await verdict({ type: "ssh" }, guest), undefined);
  t.match(await verdict({ type: "ssh", port: 2222 }, guest), /a banner of SSH 2\.0, but got "HTTP\/1\.1 400"/);
});
