import * as Effect from "effect/Effect";
import { spawn } from "node:child_process";
import * as nodeFs from "node:fs";
import { access, chmod, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { isolation } from "#lib/build/sandbox/arguments.ts";
import { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { rootEntries } from "#lib/build/sandbox/environment.ts";
import { probe } from "#lib/build/sandbox/probe.ts";
import { malformedVariables } from "#lib/build/sandbox/variables.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { asOrdinaryUser, notRoot, processesWith } from "./host.ts";
import { makeSandboxRunner } from "./sandbox-runner.ts";

const runner = await makeSandboxRunner();
t.teardown(() => runner.remove());

t.test("what a builder sees is fixed", (t) => {
  t.test("its environment is exactly the derivation's and the sandbox's", async (t) => {
    process.env["HELIOS_TEST_SECRET"] = "secret";
    const { lines } = await runner.run("env -u _ -u SHLVL | sort", { env: { FLAVOUR: "vanilla" } });
    t.same(lines, [
      "FLAVOUR=vanilla",
      "HOME=/homeless-shelter",
      "LC_ALL=C.UTF-8",
      "NIX_BUILD_CORES=2",
      "NIX_BUILD_TOP=/build",
      "NIX_LOG_FD=2",
      "NIX_STORE=/nix/store",
      "PATH=/usr/bin:/bin",
      "PWD=/build",
      "SOURCE_DATE_EPOCH=1",
      "TEMP=/build",
      "TEMPDIR=/build",
      "TERM=dumb",
      "TMP=/build",
      "TMPDIR=/build",
      "TZ=UTC",
    ]);
  });

  t.test("the derivation may set the PATH and the clock, but not the build directory", async (t) => {
    const env = { PATH: "/bin", SOURCE_DATE_EPOCH: "7", TMPDIR: "/elsewhere" };
    t.same((await runner.run("echo $PATH $SOURCE_DATE_EPOCH $TMPDIR", { env })).lines, ["/bin 7 /build"]);
  });

  t.test("user, host name, directory, mask and standard input are the same everywhere", async (t) => {
    const { lines } = await runner.run(
      "id -u; id -g; id -un; uname -n; pwd; umask; ulimit -c; readlink /proc/self/fd/0",
    );
    t.same(lines, ["1000", "100", "builder", "localhost", "/build", "0022", "0", "/dev/null"]);
  });

  t.test("the root directory has these entries and no others", async (t) => {
    const { lines } = await runner.run("cd /; echo *; echo /nix/* /nix/store/* /var/*; echo /build/* /tmp/*");
    t.same(lines, [
      "bin build dev etc lib lib64 nix proc run sbin tmp usr var",
      `/nix/store ${runner.input} /var/tmp`,
      "/build/* /tmp/*",
    ]);
  });

  t.test("no device but the harmless ones", async (t) => {
    const { lines } = await runner.run("cd /dev; echo *; mknod /build/sda b 8 0 || echo refused");
    t.same(lines[0], "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero");
    t.equal(lines.at(-1), "refused");
  });

  t.test("a value of passAsFile arrives as a file, also one that is too long for a variable", async (t) => {
    const long = "x".repeat(300_000);
    const env = { passAsFile: "long", long };
    const { lines } = await runner.run('read -r text < "$longPath"; echo ${#text} "${long-unset}" $longPath', { env });
    t.same(lines, ["300000 unset /build/.attr-long"]);
  });

  t.test("a variable just below the limit of the kernel arrives whole", async (t) => {
    const { lines } = await runner.run("echo ${#LONG}", { env: { LONG: "y".repeat(120_000) } });
    t.same(lines, ["120000"]);
  });

  t.end();
});

t.test("a builder cannot reach", (t) => {
  t.test("the network, nor servers of this machine", async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    t.teardown(() => server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { lines } = await runner.run(
      `(exec 3<>/dev/tcp/192.0.2.1/80) 2>&1 && echo connected; (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>&1 && echo connected; ` +
        "sed -n 's/^ *\\([a-z0-9]*\\):.*/\\1/p' /proc/net/dev",
    );
    t.match(lines.join("\n"), /Network is unreachable/);
    t.match(lines.join("\n"), /Connection refused/);
    t.notMatch(lines.join("\n"), /^connected$/m);
    t.equal(lines.at(-1), "lo");
  });

  t.test("sockets of the host without a file, such as those of D-Bus", async (t) => {
    const name = `helios-test-bus-${process.pid}`;
    const server = createServer().listen(`\0${name}`);
    t.teardown(() => server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    t.match(await readFile("/proc/net/unix", "utf8"), `@${name}`, "it is there to be found");
    const { lines } = await runner.run('while read -r line; do echo "$line"; done < /proc/net/unix; echo end');
    t.notMatch(lines.join("\n"), name);
    t.equal(lines.at(-1), "end");
  });

  t.test("files, home, sockets and D-Bus of the host", async (t) => {
    const secret = await mkdtemp(join(tmpdir(), "helios-secret-"));
    t.teardown(() => rm(secret, { recursive: true }));
    const { lines } = await runner.run(
      `for path in ${secret} ${homedir()} /home /root /run/* /run/dbus /var/run /sys /etc/shadow /etc/machine-id $HOME; do ` +
        "test -e $path && echo $path; done; cat /etc/passwd | head -2; true",
    );
    t.same(lines, ["root:x:0:0:root:/root:/usr/sbin/nologin", "builder:x:1000:100:builder:/build:/bin/sh"]);
  });

  t.test("processes of the host and of other builds", async (t) => {
    const stop = new AbortController();
    let started = () => {};
    const running = new Promise<void>((resolve) => (started = resolve));
    const script = "echo hidden > /tmp/mine; echo hidden > /build/mine; echo started; sleep 1000.25";
    const other = runner.run(script, { signal: stop.signal, onLine: () => started() }).catch(() => {});
    await running;
    const { lines } = await runner.run(
      "cat /proc/[0-9]*/cmdline | grep -a 'sleep 100[0]' && echo seen; ls /tmp /build; kill -0 -1 || true",
    );
    stop.abort();
    await other;
    t.notOk(lines.includes("seen"));
    t.notOk(lines.includes("mine"));
  });

  t.test("what whoever started this process left open", async (t) => {
    const open = nodeFs.openSync("/etc", "r");
    t.teardown(() => nodeFs.closeSync(open));
    // The child gets the directory as 3 and as 12; ls itself opens the next free descriptor.
    const stdio = ["ignore", "pipe", "inherit", open, ...Array<"ignore">(8).fill("ignore"), open] as const;
    const child = spawn(
      process.execPath,
      ["--import=tsx", join(import.meta.dirname, "sandbox-child.ts"), "echo /proc/self/fd/*"],
      {
        stdio: [...stdio],
      },
    );
    let output = "";
    for await (const chunk of child.stdout!) output += String(chunk);
    t.match(output, /^\/proc\/self\/fd\/0 \/proc\/self\/fd\/1 \/proc\/self\/fd\/2( \/proc\/self\/fd\/3)?\n$/);
  });

  t.end();
});

t.test("a builder cannot escape", (t) => {
  const refused = (name: string, script: string, pattern: RegExp) =>
    t.test(name, async (t) => {
      const { code, lines } = await runner.run(script);
      t.not(code, 0);
      t.match(lines.join("\n"), pattern);
    });

  refused("by writing to its inputs", `echo changed > ${runner.input}`, /Read-only file system|Permission denied/);
  refused(
    "by removing its inputs",
    `rm -f ${runner.input}`,
    /Device or resource busy|Read-only|Operation not permitted/,
  );
  refused("by changing modes of its inputs", `chmod 777 ${runner.input}`, /Read-only file system/);
  refused("by changing its environment", "touch /usr/bin/new", /Read-only file system/);
  refused("by writing beside its directories", "touch /new", /Read-only file system/);
  refused("by a hard link to an input", `ln ${runner.input} /nix/store/link`, /Invalid cross-device link/);
  refused("by a hard link between its directories", "touch /tmp/a; ln /tmp/a /build/a", /Invalid cross-device link/);
  refused("by kernel settings", "echo 1 > /proc/sys/kernel/printk", /Read-only file system|Permission denied/);
  refused(
    "by reading the kernel's memory",
    "head -c 1 /proc/kcore",
    /Operation not permitted|Permission denied|No such file/,
  );
  refused("by mounting", "mount -t tmpfs none /tmp", /permission denied|must be superuser|Operation not permitted/i);
  refused(
    "by becoming root in a user namespace of its own and making its environment writable",
    "unshare --user --map-root-user --mount bash -c 'mount -o remount,rw,bind /usr && touch /usr/new'",
    /permission denied|not permitted/i,
  );
  refused("by the root of process 1", `cd /proc/1/root && test -e home`, /^$|Permission denied/);

  t.test("by symbolic links: they lead nowhere but into the sandbox", async (t) => {
    const { lines } = await runner.run(
      "ln -s ../../../../../etc /build/up; ls /build/up/../home 2>/dev/null; cat /build/up/group",
    );
    t.same(lines, ["root:x:0:", "builders:x:100:", "nogroup:x:65534:"]);
  });

  t.test("by setuid programs: the bit has no effect", async (t) => {
    const { lines } = await runner.run(
      "cp /usr/bin/id /build/id; chmod 6755 /build/id; /build/id -u; grep NoNewPrivs /proc/self/status",
    );
    t.same(lines, ["1000", "NoNewPrivs:\t1"]);
  });

  t.test("by keeping privileges: there are none", async (t) => {
    const { lines } = await runner.run("grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status");
    t.same(lines, ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"]);
  });

  t.test("by paths of its own making: they stay in its private directory", async (t) => {
    const { code, store } = await runner.run("mkdir -p /nix/store/other/bin; echo x > /nix/store/other/bin/x");
    t.equal(code, 0);
    await access(join(store, "other/bin/x"));
  });

  t.end();
});

t.test("processes end with the build", (t) => {
  t.test("those left behind die when the builder ends", async (t) => {
    const { code } = await runner.run("setsid sleep 1001.5 & setsid -f sleep 1001.5; exit 0");
    t.equal(code, 0);
    t.same(await processesWith("1001.5"), []);
  });

  t.test("the time limit kills the whole tree", async (t) => {
    const { limit } = await runner.run("setsid sleep 1002.5 & while true; do echo x; sleep 0.05; done", {
      limits: { time: 300 },
    });
    t.equal(limit, "time");
    t.same(await processesWith("1002.5"), []);
  });

  t.test("the limit of silence counts from the last output", async (t) => {
    const started = performance.now();
    const { limit, lines } = await runner.run("for i in 1 2 3; do echo $i; sleep 0.2; done; sleep 1003.5", {
      limits: { silence: 400 },
    });
    t.equal(limit, "silence");
    t.same(lines, ["1", "2", "3"]);
    t.ok(performance.now() - started >= 800);
    t.same(await processesWith("1003.5"), []);
  });

  t.test("an endless log is cut off", async (t) => {
    const { limit } = await runner.run("while true; do echo 0123456789012345678901234567890123456789; done", {
      limits: { logSize: 100_000 },
    });
    t.equal(limit, "log size");
  });

  t.test("the limit of memory lets allocations fail, of what is written to only", async (t) => {
    const grow = 'x=$(printf %09000000d 0); for i in 1 2 3; do x=$x$x; done; echo "grown to ${#x}"';
    const free = await runner.run(grow);
    t.same(free.lines, ["grown to 72000000"]);
    const limited = await runner.run(grow, { limits: { memory: 50_000_000 } });
    t.not(limited.code, 0);
    t.match(limited.lines.join("\n"), /cannot allocate/);
  });

  t.test("the kernel is told to end builders first when the machine runs out of memory", async (t) => {
    const { lines } = await runner.run("cat /proc/self/oom_score_adj");
    t.same(lines, ["500"]);
  });

  t.test("cancelling kills the whole tree before it returns", async (t) => {
    const stop = new AbortController();
    const running = runner.run("trap '' TERM INT HUP; setsid sleep 1004.5 & echo started; sleep 1004.5", {
      signal: stop.signal,
      onLine: () => stop.abort(),
    });
    await t.rejects(running);
    t.same(await processesWith("1004.5"), []);
  });

  t.end();
});

t.test("the log", (t) => {
  t.test("has both streams in the order of writing", async (t) => {
    const { lines } = await runner.run("for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done");
    t.same(
      lines,
      [1, 2, 3, 4, 5].flatMap((i) => [`out ${i}`, `err ${i}`]),
    );
  });

  t.test("has a last line without an end, long lines in pieces and broken UTF-8 as it can", async (t) => {
    const { lines } = await runner.run("head -c 200000 /dev/zero | sed 's/./x/g'; echo; printf 'caf\\303\\251 \\377'");
    t.equal(lines.slice(0, -1).join("").length, 200_000);
    t.equal(lines.at(-1), "café �");
  });

  t.end();
});

t.test("an environment that is a link is refused, whoever asks for its entries", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "helios-link-"));
  t.teardown(() => rm(directory, { recursive: true }));
  await symlink("/", join(directory, "root"));
  await t.rejects(rootEntries(nodeFs, join(directory, "root")), { message: /is not a directory/ });
});

t.test("variables that would become arguments of the sandbox, or paths, are known as such", (t) => {
  t.same(malformedVariables({ fine: "x=y /", "": "x", "a=b": "x", "../a": "x", nul: "y\0--bind\0/\0/" }), [
    "",
    "a=b",
    "../a",
    "nul",
  ]);
  t.end();
});

t.test("without a working sandbox nothing is built", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "helios-no-bwrap-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const locate = (environment: Record<string, string>) =>
    Effect.flip(Effect.flatMap(Bubblewrap, ({ locate }) => locate)).pipe(
      Effect.provide(Bubblewrap.fromPath(environment)),
      Effect.provide(FileSystem.layer),
      Effect.runPromise,
    );

  t.match((await locate({ PATH: `${directory}:relative` })).message, /not on the PATH.*apt-get install bubblewrap/);
  t.match(
    (await locate({ HELIOS_BWRAP: join(directory, "none") })).message,
    /HELIOS_BWRAP is '.*none', which is not a program/,
  );

  const broken = join(directory, "bwrap");
  await writeFile(broken, "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n");
  await chmod(broken, 0o755);
  const failure = await Effect.runPromise(
    Effect.flip(probe({ command: broken, args: [] }, isolation)).pipe(
      Effect.provide(Processes.layer),
      Effect.provide(FileSystem.layer),
    ),
  );
  t.match(failure.message, /bubblewrap does not work here \(bwrap: setting up uid map: Permission denied\)/);
  t.match(failure.message, /sysctl|container/);
});

t.test("all of this holds for an ordinary user too", { skip: notRoot }, async (t) => {
  const { code, output } = await asOrdinaryUser(import.meta.filename);
  t.equal(code, 0, "the same tests pass as nobody");
  if (code !== 0) t.comment(output);
  t.match(output, /^# \{ total/m);
});
