import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import * as fc from "fast-check";
import { memfs } from "memfs";
import t from "tap";
import { LockFileMalformed, type LockError } from "#lib/flake/errors.ts";
import { printLock, readLock, writeLock } from "#lib/flake/lock-file.ts";
import { parseLock } from "#lib/flake/lock-parse.ts";
import { difference, environmentsWith, refresh, requireLocked } from "#lib/flake/lock-update.ts";
import {
  emptyLock,
  normalizeRequest,
  retainEnvironments,
  viewLock,
  withEnvironments,
  type EnvironmentRequest,
  type Lock,
  type LockedPackage,
} from "#lib/flake/lock.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";

const request = (
  name: string,
  packages: readonly string[],
  more: Partial<EnvironmentRequest> = {},
): EnvironmentRequest => ({
  name,
  suite: "trixie",
  components: ["main"],
  architectures: ["amd64"],
  packages,
  ...more,
});

const pinned = (
  name: string,
  version = "1.0-1",
  architecture: LockedPackage["architecture"] = "amd64",
): LockedPackage => ({
  name,
  version,
  architecture,
  path: `pool/main/${name[0]}/${name}/${name}_${version}_${architecture}.deb`,
  size: 1234,
  sha256: "0123456789abcdef".repeat(4),
});

const sample = withEnvironments(emptyLock, [
  [request("tools", ["sed", "bash"], { excluded: ["perl-base"] }), [pinned("sed"), pinned("bash")]],
  [
    request("root", ["bash:arm64"], { architectures: ["arm64"], essential: true, pockets: ["security"] }),
    [pinned("bash", "5", "arm64"), pinned("tzdata", "2026a", "all")],
  ],
]);

const parse = (text: string): Lock => parseLock("flake.lock", Buffer.from(text));

/** Runs an Effect over an in-memory file system; the failure is the result. */
async function run<A>(
  effect: Effect.Effect<A, LockError, FileSystem | Processes | Events>,
  fileSystem: FileSystemShape,
): Promise<A | LockError> {
  const services = Layer.mergeAll(Layer.succeed(FileSystem, fileSystem), Processes.layer, Events.silent);
  const exit = await Effect.runPromiseExit(effect.pipe(Effect.provide(services)));
  return Exit.isSuccess(exit) ? exit.value : (Cause.squash(exit.cause) as LockError);
}

const disk = (files: Record<string, string> = {}) => memfs(files, "/flake").fs as unknown as FileSystemShape;

t.test("the text of a lock", async (t) => {
  t.test("has one package a line, requests beside their answers, no hosts and no times", async (t) => {
    const lock = withEnvironments(emptyLock, [[request("tools", ["bash"]), [pinned("bash"), pinned("libc6")]]]);
    t.equal(
      printLock(lock),
      `{
  "version": 1,
  "environments": {
    "tools": {
      "packages": [
        "pool/main/b/bash/bash_1.0-1_amd64.deb",
        "pool/main/l/libc6/libc6_1.0-1_amd64.deb"
      ],
      "request": {
        "suite": "trixie",
        "components": ["main"],
        "architectures": ["amd64"],
        "packages": [
          "bash"
        ]
      }
    }
  },
  "packages": {
    "pool/main/b/bash/bash_1.0-1_amd64.deb": { "name": "bash", "version": "1.0-1", "architecture": "amd64", "size": 1234, "sha256": "${"0123456789abcdef".repeat(4)}" },
    "pool/main/l/libc6/libc6_1.0-1_amd64.deb": { "name": "libc6", "version": "1.0-1", "architecture": "amd64", "size": 1234, "sha256": "${"0123456789abcdef".repeat(4)}" }
  }
}
`,
    );
  });

  const names = fc.stringMatching(/^[a-z][a-z0-9.-]{0,6}[a-z0-9]$/);
  const locks = fc
    .array(fc.tuple(names, fc.uniqueArray(names, { minLength: 1, maxLength: 5 }), fc.boolean()), { maxLength: 5 })
    .map((environments) =>
      environments.map(
        ([name, packages, essential]) =>
          [request(name, packages, { essential }), packages.map((one) => pinned(one))] as const,
      ),
    );

  t.test("is read back as the same lock, and does not depend on the order of anything", async (t) => {
    const property = fc.property(locks, (environments) => {
      const byName = [...new Map(environments.map((one) => [one[0].name, one])).values()];
      const text = printLock(withEnvironments(emptyLock, byName));
      const reversed = byName.toReversed().map(([wanted, packages]) => {
        return [{ ...wanted, packages: wanted.packages.toReversed() }, packages.toReversed()] as const;
      });
      return printLock(parse(text)) === text && printLock(withEnvironments(emptyLock, reversed)) === text;
    });
    t.doesNotThrow(() => fc.assert(property));
  });

  t.test("any damage is either harmless or reported with a place in the file", async (t) => {
    const text = printLock(sample);
    const lineCount = text.split("\n").length;
    const property = fc.property(
      fc.nat(text.length - 1),
      fc.nat(3),
      fc.string({ maxLength: 3, unit: "binary" }),
      (at, removed, added) => {
        try {
          parse(text.slice(0, at) + added + text.slice(at + removed));
        } catch (error) {
          return (
            error instanceof LockFileMalformed && error.line >= 1 && error.line <= lineCount + 3 && error.column >= 1
          );
        }
        return true;
      },
    );
    t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
  });
});

t.test("a broken lock file is refused with line, column and remedy", async (t) => {
  const good = printLock(sample);
  const cases: readonly (readonly [title: string, text: string, message: RegExp])[] = [
    [
      "an empty file",
      "",
      /^flake\.lock:1:1: expected a value, found the end of the file\. Restore it from version control/,
    ],
    ["a truncated file", good.slice(0, 60), /^flake\.lock:5:\d+: /],
    ["something after the end", `${good}x`, /expected the end of the file, found "x"/],
    [
      "another version",
      good.replace('"version": 1', '"version": 2'),
      /^flake\.lock:2:14: the lock file's version is not 1/,
    ],
    ["no version", "{}", /the lock file has no "version"/],
    ["a list", "[]", /the lock file is not an object/],
    [
      "an unknown key",
      good.replace('"essential"', '"esential"'),
      /^flake\.lock:14:9: the request of root has the unknown key "esential"/,
    ],
    [
      "a key twice",
      good.replace('"suite": "trixie",', '"suite": "trixie", "suite": "trixie",'),
      /the key "suite" stands here a second time/,
    ],
    [
      "a missing comma",
      good.replace('"version": 1,', '"version": 1'),
      /^flake\.lock:3:3: expected ',' or '}', found "\\""/,
    ],
    [
      "a package without an entry",
      good.replace('bash_5_arm64.deb",', 'bash_6_arm64.deb",'),
      /"pool\/main\/b\/bash\/bash_6_arm64\.deb" has no entry in 'packages'/,
    ],
    [
      "a path that leaves the pool",
      good.replaceAll("pool/main/s/sed/", "pool/../../etc/"),
      /is not the path of a \.deb file below 'pool\/'/,
    ],
    [
      "a path with a query",
      good.replaceAll("sed_1.0-1_amd64.deb", "sed.deb?x=.deb"),
      /is not the path of a \.deb file/,
    ],
    ["a short hash", good.replace(/"sha256": "0123/, '"sha256": "'), /is not 64 lower-case hexadecimal digits/],
    ["a negative size", good.replace('"size": 1234', '"size": -1'), /a size is a positive whole number/],
    ["a size beyond numbers", good.replace('"size": 1234', '"size": 1e99'), /a size is a positive whole number/],
    [
      "an unknown architecture",
      good.replace('"architecture": "all"', '"architecture": "riscv64"'),
      /"riscv64" is none of amd64, arm64, all/,
    ],
    [
      "an unsorted request",
      good.replace(/"bash",\n(\s*)"sed"/, '"sed",\n$1"bash"'),
      /the request of tools is not sorted/,
    ],
    [
      "an option of apt's as a package",
      good.replace(/"bash",\n(\s*)"sed"/, '"--allow-unauthenticated",\n$1"sed"'),
      /is not a package in apt's syntax/,
    ],
    [
      "a merge conflict",
      good.replace('"version"', '<<<<<<< ours\n"version"').replace(/^ {2}<{7}/m, "<<<<<<<"),
      /a merge conflict stands here\. Take either side/,
    ],
    ["deep nesting", "[".repeat(100_000), /more than 32 levels of nesting/],
    ["a bad escape", '{ "\\x": 1 }', /escape or a control character that JSON forbids/],
    ["an endless string", '{ "version', /this string does not end on its line/],
  ];
  for (const [title, text, message] of cases)
    t.throws(() => parse(text), { name: "LockFileMalformed", message }, title);
  const latin1 = Buffer.from(good.replace("trixie", "trixi\u00e9"), "latin1");
  t.throws(
    () => parseLock("flake.lock", latin1),
    { message: /^flake\.lock:10:1: this is not UTF-8/ },
    "another encoding",
  );
});

t.test("what an evaluation sees of a lock", async (t) => {
  t.test("the pinned packages, in whatever order the request is written", async (t) => {
    const view = viewLock(sample);
    const packages = view.packages(
      request("tools", ["bash", "sed", "bash"], { excluded: ["perl-base"], essential: false }),
    );
    t.strictSame(
      packages.map(({ name }) => name),
      ["bash", "sed"],
    );
    t.equal(view.missing.size, 0);
    t.strictSame([...view.requested.keys()], ["tools"]);
  });

  t.test("nothing for a request that is new or has changed; both are noted", async (t) => {
    const view = viewLock(sample);
    t.strictSame(view.packages(request("tools", ["bash"])), []);
    t.strictSame(view.packages(request("qemu", ["qemu-system-arm"])), []);
    t.strictSame(
      [...view.missing].map(([name, { reason }]) => [name, reason]),
      [
        ["tools", "its request changed"],
        ["qemu", "not locked yet"],
      ],
    );
    const error = await run(requireLocked("flake.lock", view.missing), disk());
    t.match(error, {
      _tag: "LockOutOfDate",
      message: /'tools' \(its request changed\), 'qemu' \(not locked yet\)\. Run .* without --locked/,
    });
    t.equal(await run(requireLocked("flake.lock", new Map()), disk()), undefined);
  });

  t.test("one name cannot mean two environments", async (t) => {
    const view = viewLock(sample);
    view.packages(request("tools", ["bash", "sed"]));
    view.packages(request("tools", ["sed", "bash"]));
    t.throws(() => view.packages(request("tools", ["bash", "awk"])), {
      name: "ConflictingRequests",
      message:
        "two different environments are called 'tools': only one has sed; only the other has awk. Rename one of them.",
    });
  });
});

t.test("requests that cannot be meant are refused", async (t) => {
  const cases: readonly (readonly [request: EnvironmentRequest, message: RegExp])[] = [
    [request("a/b", ["bash"]), /its name may only contain/],
    [request("x", []), /names no package/],
    [request("x", ["bash"], { components: [] }), /names no component/],
    [request("x", ["bash"], { components: ["main contrib"] }), /not a component/],
    [request("x", ["bash"], { architectures: [] }), /names no architecture/],
    [request("x", ["-oDir=/"]), /not a package in apt's syntax/],
    [request("x", ["bash-"]), /not a package in apt's syntax/],
    [request("x", ["ba*"]), /not a package in apt's syntax/],
    [request("x", ["bash:arm64"]), /architecture that the request does not list \(amd64\)/],
    [request("x", ["bash"], { excluded: ["Perl"] }), /'Perl' in 'excluded'/],
    [request("x", ["bash=5.2"], { excluded: ["bash"] }), /both asked for and excluded/],
    [request("x", ["bash"], { excluded: ["bash:amd64"] }), /both asked for and excluded/],
  ];
  for (const [wrong, message] of cases)
    t.throws(() => normalizeRequest(wrong), { name: "InvalidRequest", message }, String(message));
  const both = request("x", ["libc6"], { architectures: ["arm64", "amd64"], excluded: ["libc6:amd64"] });
  t.strictSame(normalizeRequest(both).architectures, ["arm64", "amd64"], "the order of architectures has a meaning");
});

t.test("new answers", async (t) => {
  t.test("replace those of their environment only, and drop packages that nothing needs any more", async (t) => {
    const next = withEnvironments(sample, [[request("tools", ["sed"]), [pinned("sed", "2")]]]);
    t.strictSame([...next.packages.values()].map(({ name, version }) => `${name} ${version}`).sort(), [
      "bash 5",
      "sed 2",
      "tzdata 2026a",
    ]);
    t.equal(next.environments.get("root"), sample.environments.get("root"));
    t.strictSame([...retainEnvironments(next, new Set(["tools"])).packages.keys()], [pinned("sed", "2").path]);
  });

  t.test("are summed up by package", async (t) => {
    const next = withEnvironments(sample, [[request("tools", ["sed"]), [pinned("sed", "2"), pinned("libc6")]]]);
    t.strictSame(difference(sample, next, "tools"), [
      {
        environment: "tools",
        added: [{ package: "libc6:amd64", version: "1.0-1" }],
        removed: [{ package: "bash:amd64", version: "1.0-1" }],
        changed: [{ package: "sed:amd64", from: "1.0-1", to: "2" }],
      },
    ]);
    t.strictSame(difference(sample, next, "root"), []);
  });

  t.test("a file that is gone concerns every environment that contains it", async (t) => {
    t.strictSame(environmentsWith(sample, new Set([pinned("sed").path])), ["tools"]);
    t.strictSame(environmentsWith(sample, new Set(["pool/other.deb"])), []);
  });

  t.test("an unknown environment cannot be refreshed", async (t) => {
    const error = await run(refresh(sample, ["tols"], "gone", { mirrors: { archives: [], security: [] } }), disk());
    t.match(error, {
      _tag: "UnknownEnvironment",
      message: "the lock has no environment 'tols'. Did you mean 'tools'?",
    });
  });
});

t.test("the lock file on disk", async (t) => {
  t.test("none is a lock that pins nothing", async (t) => {
    t.equal(await run(readLock("/flake/flake.lock"), disk()), emptyLock);
  });

  t.test("is written as a whole, and only when something changed", async (t) => {
    const fileSystem = disk({ "flake.ts": "" });
    t.equal(await run(writeLock("/flake/flake.lock", sample), fileSystem), true);
    t.equal(await run(writeLock("/flake/flake.lock", sample), fileSystem), false);
    t.same(await run(readLock("/flake/flake.lock"), fileSystem), sample);
    t.strictSame(await fileSystem.promises.readdir("/flake"), ["flake.lock", "flake.ts"]);
  });

  t.test("a full disk leaves the old file and no other", async (t) => {
    const fileSystem = disk({ "flake.lock": printLock(emptyLock) });
    const full = Object.assign(new Error("full"), { code: "ENOSPC" });
    for (const failing of ["rename", "open"] as const) {
      const promises = Object.assign(Object.create(fileSystem.promises), { [failing]: () => Promise.reject(full) });
      const error = await run(writeLock("/flake/flake.lock", sample), { ...fileSystem, promises });
      t.match(error, {
        _tag: "LockFileUnusable",
        message: /cannot write the lock file .*: ENOSPC\. Free some disk space/,
      });
    }
    t.strictSame(await fileSystem.promises.readdir("/flake"), ["flake.lock"]);
    t.equal(await fileSystem.promises.readFile("/flake/flake.lock", "utf8"), printLock(emptyLock));
  });

  t.test("a directory in its place is an error that says so", async (t) => {
    const fileSystem = disk({ "flake.lock/x": "" });
    t.match(await run(readLock("/flake/flake.lock"), fileSystem), {
      _tag: "LockFileUnusable",
      message: /EISDIR.*remove it/,
    });
  });

  t.test("a symbolic link to it stays a link", async (t) => {
    const fileSystem = disk({ "shared.lock": printLock(emptyLock) });
    await fileSystem.promises.symlink("/flake/shared.lock", "/flake/flake.lock");
    t.equal(await run(writeLock("/flake/flake.lock", sample), fileSystem), true);
    t.equal(await fileSystem.promises.readlink("/flake/flake.lock"), "/flake/shared.lock");
    t.equal(await fileSystem.promises.readFile("/flake/shared.lock", "utf8"), printLock(sample));
  });
});
