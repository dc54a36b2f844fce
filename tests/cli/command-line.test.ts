import * as Effect from "effect/Effect";
import * as fc from "fast-check";
import t from "tap";
import type { Command, Parameter } from "#lib/cli/command.ts";
import { commands } from "#lib/cli/commands/index.ts";
import { readExplaining } from "#lib/cli/explaining-reader.ts";
import { type Invocation, readPlainly } from "#lib/cli/plain-reader.ts";

const program = { version: "1", description: "A program for tests", commands };

/** What effect/cli would run; undefined where it has something to say instead. */
async function explained(args: readonly string[]): Promise<Invocation | undefined> {
  let invocation: Invocation | undefined;
  const { write } = process.stdout;
  const { write: writeError } = process.stderr;
  process.stdout.write = process.stderr.write = () => true; // Help is not a line of this test's report.
  try {
    await Effect.runPromise(
      Effect.ignore(readExplaining(program, args, (read) => Effect.sync(() => void (invocation = read)))),
    );
  } finally {
    process.stdout.write = write;
    process.stderr.write = writeError;
  }
  return invocation;
}

const leaves: readonly (readonly [words: readonly string[], command: Command])[] = commands.flatMap(
  (command): (readonly [readonly string[], Command])[] =>
    "commands" in command
      ? command.commands.map((leaf) => [[command.name, leaf.name], leaf])
      : [[[command.name], command]],
);

/** Words that are read in one way only, and some that may not be. */
const word = fc.oneof(
  fc.constantFrom(
    ".#helios-cm5",
    "./result",
    "a b",
    "käse",
    "4",
    "0",
    "-1",
    "1.5",
    "true",
    "no",
    "",
    "--",
    "-",
    "auto",
  ),
  fc.string({ maxLength: 6 }),
);

const occurrence = (parameter: Parameter): fc.Arbitrary<string[]> => {
  if (parameter.kind === "argument") return word.map((text) => [text]);
  const names = [`--${parameter.name}`, ...("alias" in parameter ? [`-${parameter.alias}`] : [])];
  const name = fc.constantFrom(...names);
  if (parameter.kind === "switch")
    return fc.oneof(
      name.map((text) => [text]),
      fc.constant<string[]>([`--no-${parameter.name}`]),
    );
  return fc
    .tuple(name, word, fc.constantFrom("apart", "joined"))
    .map(([flag, text, form]) => (form === "joined" ? [`${flag}=${text}`] : [flag, text]));
};

const commandLine = fc.constantFrom(...leaves).chain(([words, command]) => {
  const parts = Object.values(command.parameters).map(occurrence);
  return fc
    .array(
      fc.oneof(
        ...parts,
        word.map((text) => [text]),
      ),
      { maxLength: 5 },
    )
    .map((all) => [...words, ...all.flat()]);
});

t.test("what is read plainly is read by effect/cli alike", async (t) => {
  let plain = 0;
  await fc.assert(
    fc.asyncProperty(commandLine, async (args) => {
      const read = readPlainly(commands, args);
      if (read === undefined) return;
      plain++;
      const other = await explained(args);
      if (other?.command !== read.command) throw new Error(`effect/cli does not run ${JSON.stringify(args)}`);
      const [one, two] = [read, other].map(({ input }) => JSON.stringify(input, Object.keys(input).sort()));
      if (one !== two) throw new Error(`${JSON.stringify(args)}: ${one} is ${two} to effect/cli`);
    }),
    { numRuns: 2000 },
  );
  t.ok(plain > 200, `${plain} of 2000 command lines were plain`);
});

t.test("everyday command lines are read plainly", async (t) => {
  for (const line of [
    "build .#helios-cm5",
    "build",
    "build -j2 -k --keep-failed .#a .#b -o out",
    "check --json --progress=quiet",
    "store gc --dry-run --older-than 30d",
    "build --set a=1 --set b=x=y --max-memory 4G --timeout 0",
    "path-info -rS ./result",
    "derivation show -r .#helios-engine",
    "replay file --speed 0",
    "build -j 1",
  ]) {
    t.ok(readPlainly(commands, line.split(" ")), line);
  }
  const read = readPlainly(commands, ["build", "-j", "2", ".#a"]);
  t.match(read?.input, { jobs: 2, installables: [".#a"], outLink: "result", keepGoing: false, progress: "auto" });
});

t.test("what needs an explanation is left to effect/cli", async (t) => {
  for (const line of [
    "",
    "bild",
    "store",
    "build --help",
    "build --jbos 2",
    "build -j 0",
    "eval",
    "eval a b",
    "build --set debug",
    "log --file=x a",
    "build --json --json",
    "build --json true",
  ]) {
    t.equal(readPlainly(commands, line.split(" ")), undefined, line);
  }
});

t.test("flags of one command have names and aliases of their own", async (t) => {
  for (const [words, command] of leaves) {
    const flags = Object.values(command.parameters).flatMap((parameter) =>
      parameter.kind === "argument" ? [] : [parameter.name, ...("alias" in parameter ? [parameter.alias] : [])],
    );
    t.equal(new Set(flags).size, flags.length, words.join(" "));
  }
});
