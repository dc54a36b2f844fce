import * as Effect from "effect/Effect";
import type { InvalidAssertionError } from "../errors.ts";
import { expectEqual, mismatch, type Assertion } from "../assertion.ts";
import type { FileAssertion } from "../assertion-data.ts";
import { shellQuote } from "../shell-protocol.ts";
import { pattern } from "./expected-text.ts";

/** What stat(1) calls the kinds. */
const kindNames = {
  file: ["regular file", "regular empty file"],
  directory: ["directory"],
  symlink: ["symbolic link"],
} as const satisfies Record<NonNullable<FileAssertion["kind"]>, readonly string[]>;

export const file = Effect.fnUntraced(function* (
  data: FileAssertion,
): Effect.fn.Return<Assertion, InvalidAssertionError> {
  const kind = data.kind ?? "file";
  const description = describe(data, kind);
  const expression = data.matches === undefined ? undefined : yield* pattern(description, data.matches);
  const quoted = shellQuote(data.path);
  return {
    description,
    run: Effect.fnUntraced(function* (machine) {
      // One line about the file, then its content or target.
      const rest = kind === "file" ? `&& cat -- ${quoted}` : kind === "symlink" ? `&& readlink -- ${quoted}` : "";
      const result = yield* machine.run(`stat --format='%a %U %G %F' -- ${quoted} ${rest}`);
      if (result.status !== 0)
        return yield* mismatch(`the ${kind} ${data.path}`, "none that can be read", result.stderr);
      const end = result.stdout.indexOf("\n");
      const [mode = "", owner = "", group = "", ...kindWords] = result.stdout.slice(0, end).split(" ");
      const content = result.stdout.slice(end + 1);
      const found = kindWords.join(" ");
      if (!kindNames[kind].some((name) => name === found)) return yield* mismatch(`a ${kind}`, `a ${found}`);
      const actual = { mode, owner, group };
      const expected = {
        mode: data.mode ?? mode,
        owner: data.owner ?? owner,
        group: data.group ?? group,
      };
      yield* expectEqual(expected, actual);
      if (data.target !== undefined) yield* expectEqual(data.target, content.replace(/\n$/, ""));
      if (data.content !== undefined && data.content !== content) return yield* firstDifference(data.content, content);
      if (expression !== undefined && !expression.test(content)) {
        return yield* mismatch(`content that matches /${data.matches}/`, "other content", content.slice(0, 2000));
      }
    }),
  };
});

function describe(data: FileAssertion, kind: string): string {
  const traits = [
    ...(data.mode === undefined ? [] : [`mode ${data.mode}`]),
    ...(data.owner === undefined ? [] : [`owner ${data.owner}`]),
    ...(data.group === undefined ? [] : [`group ${data.group}`]),
    ...(data.content === undefined && data.matches === undefined ? [] : ["the expected content"]),
    ...(data.target === undefined ? [] : [`target ${data.target}`]),
  ];
  return `${kind} ${data.path} exists${traits.length === 0 ? "" : ` with ${traits.join(", ")}`}`;
}

function firstDifference(expected: string, actual: string) {
  const [expectedLines, actualLines] = [expected.split("\n"), actual.split("\n")];
  const line = expectedLines.findIndex((text, index) => text !== actualLines[index]);
  const index = line < 0 ? expectedLines.length : line;
  const show = (text: string | undefined): string =>
    text === undefined ? "the end of the file" : JSON.stringify(text);
  return mismatch(`${show(expectedLines[index])} on line ${index + 1}`, show(actualLines[index]));
}
