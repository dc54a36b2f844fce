import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { Events, type EngineEvent } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { makeShell, type Shell } from "#lib/machine/shell.ts";
import { greeting } from "#lib/machine/shell-protocol.ts";

/** A temporary directory that goes with the test. */
export async function temporaryDirectory(t: { teardown: (action: () => Promise<void>) => void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "helios-machine-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs `script` with sh as the guest's side of the channel, after the greeting, and `body` against it. */
export async function withGuest<A, E>(
  script: string,
  directory: string,
  body: (shell: Shell) => Effect.Effect<A, E>,
  greetingFilter = "cat",
): Promise<A> {
  const guest: ChildProcess = spawn("sh", ["-c", `echo ${greeting} | ${greetingFilter}\n${script}`], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  try {
    return await Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(
          makeShell({ input: guest.stdin!, output: guest.stdout! }, { guestDirectory: `${directory}/guest's files` }),
          body,
        ),
      ),
    );
  } finally {
    try {
      process.kill(-guest.pid!, "SIGKILL");
    } catch {
      // The guest and all that it started have ended.
    }
  }
}

/** A machine without QEMU: a script that gets bubblewrap's arguments, and a shell whose commands a test supplies. */
export interface FakeMachine {
  readonly directory: string;
  /** Options that pass every check before the start. */
  readonly options: {
    readonly name: string;
    readonly qemuRoot: string;
    readonly boot: { readonly type: "kernel"; readonly kernel: string; readonly commandLine: string };
    readonly image: string;
    readonly directory: string;
    readonly temporary: string;
  };
  readonly events: EngineEvent[];
  readonly layer: Layer.Layer<Bubblewrap | Events | FileSystem | Processes>;
}

/**
 * Makes a fake machine. `commands` are scripts of programs in the guest
 * (systemctl …); `qemu` replaces the whole machine, with `$serial`, `$work` and
 * `$disk` set, and by default runs the guest's shell; `qemuImg` is what makes `$disk`.
 */
export async function fakeMachine(
  t: { teardown: (action: () => Promise<void>) => void },
  commands: Readonly<Record<string, string>> = {},
  qemu = `echo "Linux version 6.12" >"$serial"; guest`,
  qemuImg = `echo "disk of $last" >"$work/overlay.qcow2"; exit`,
): Promise<FakeMachine> {
  const directory = await temporaryDirectory(t);
  const path = (name: string): string => join(directory, name);
  await Promise.all(["bin", "root/usr", "guest", "scratch"].map((name) => mkdir(path(name), { recursive: true })));
  await Promise.all(["kernel", "image"].map((name) => writeFile(path(name), "")));
  await Promise.all(
    Object.entries(commands).map(([name, script]) =>
      writeFile(path(`bin/${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 }),
    ),
  );
  const script = [
    `all=$*; for last; do :; done`,
    `while [ $# -gt 0 ]; do case "$1 $3" in "--bind /work") work=$2;; "--bind /serial.log") serial=$2;; "--bind /machine/overlay") disk=$2;; esac; shift; done`,
    `case "$all" in *"qemu-img create"*) ${qemuImg};; esac`,
    // The guest's scratch directory becomes one of the host, and each start of the machine has a boot identifier.
    `echo "$work" >"$work/boot_id"`,
    `guest() { echo ${greeting}; sed -u "s#/run/helios-shell#${directory}/guest#g; s#/proc/sys/kernel/random/boot_id#$work/boot_id#g" | PATH=${directory}/bin:/usr/bin:/bin sh; }`,
    // "kill $machine" in the guest is its orderly end: that of QEMU, with status 0, and of everything in it.
    `export disk work serial machine=$$; trap 'trap "" TERM; kill 0; exit 0' TERM; exec 3<&0; { ${qemu}`,
    `} <&3 & wait $!`,
  ].join("\n");
  await writeFile(path("qemu.sh"), script);
  const events: EngineEvent[] = [];
  return {
    directory,
    events,
    options: {
      name: "fake",
      qemuRoot: path("root"),
      boot: { type: "kernel", kernel: path("kernel"), commandLine: "root=LABEL=ACTIVE" },
      image: path("image"),
      directory: path("logs"),
      temporary: path("scratch"),
    },
    layer: Layer.mergeAll(
      Layer.succeed(Bubblewrap, { locate: Effect.succeed({ command: "/bin/sh", args: [path("qemu.sh")] }) }),
      Events.to((event) => events.push(event)),
      FileSystem.layer,
      Processes.layer,
    ),
  };
}

/** A quiet host. */
export const quietHost = { loadAverage: 0, processors: 2 } as const;
