import * as Effect from "effect/Effect";
import { expectEqual, mismatch, type Assertion } from "../assertion.ts";
import type { PasswordLockedAssertion, UserAssertion } from "../assertion-data.ts";
import { shellQuote } from "../shell-protocol.ts";

/**
 * The command that prints an account's line of `passwd` or `shadow`, perhaps among
 * others: the name service's, or the file's where an image has no `getent`.
 */
const accountCommand = (database: "passwd" | "shadow", name: string): string =>
  `if command -v getent >/dev/null; then getent ${database} ${shellQuote(name)}; else cat /etc/${database}; fi`;

/** The fields of the account's line. */
const accountFields = (text: string, name: string): string[] | undefined =>
  text
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[0] === name);

/** A user, as programs see it. */
export function user(data: UserAssertion): Assertion {
  const { name, uid, gid, groups, home, shell } = data;
  const expected = defined({ uid, gid, groups: groups === undefined ? undefined : [...groups].sort(), home, shell });
  const details = Object.entries(expected).map(
    ([key, value]) => `${key} ${Array.isArray(value) ? value.join("+") : String(value)}`,
  );
  return {
    description: `user ${name} exists${details.length === 0 ? "" : ` with ${details.join(", ")}`}`,
    run: Effect.fnUntraced(function* (machine) {
      const entry = yield* machine.run(accountCommand("passwd", name));
      const fields = accountFields(entry.stdout, name);
      if (fields === undefined) return yield* mismatch(`a user ${name}`, "no such user", entry.stderr);
      const actual = {
        uid: Number(fields[2]),
        gid: Number(fields[3]),
        groups:
          groups === undefined ? [] : (yield* machine.succeed(`id -Gn ${shellQuote(name)}`)).trim().split(" ").sort(),
        home: fields[5],
        shell: fields[6],
      };
      yield* expectEqual(expected, Object.fromEntries(Object.entries(actual).filter(([key]) => key in expected)));
    }),
  };
}

/** Leaves out what is undefined. */
function defined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** The shadow file holds something that no password hashes to; see shadow(5). A hash itself is never shown. */
export function passwordLocked({ user }: PasswordLockedAssertion): Assertion {
  return {
    description: `no password logs in as ${user}`,
    run: Effect.fnUntraced(function* (machine) {
      const entry = yield* machine.run(accountCommand("shadow", user));
      const fields = accountFields(entry.stdout, user);
      if (fields === undefined) return yield* mismatch(`an entry for ${user} in the shadow file`, "none", entry.stderr);
      const password = fields[1];
      if (password === undefined || password === "") return yield* mismatch("a locked password", "an empty one");
      if (!/^[!*]/.test(password)) return yield* mismatch("a locked password", "one that can be used");
    }),
  };
}
