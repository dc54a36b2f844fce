import * as Effect from "effect/Effect";
import * as fc from "fast-check";
import t from "tap";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LineReader } from "#lib/machine/line-reader.ts";
import { parseAnswer, shellQuote } from "#lib/machine/shell-protocol.ts";
import { temporaryDirectory, withGuest } from "./fake-guest.ts";

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
      t.match(yield* shell.run("if", 10), { status: 2, stderr: /yntax/ }, "a syntax error harms only its own command");
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
      t.match(yield* shell.run("(while :; do echo late; sleep 0.05; done) & echo now", 10), {
        stdout: /^(late\n)*now\n(late\n)*$/,
      });
      t.ok(performance.now() - started < 5000);
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
