import * as Effect from "effect/Effect";
import { expectEqual, mismatch, type Assertion } from "../assertion.ts";
import type { PasswordLockedAssertion, UserAssertion } from "../assertion-data.ts";
import { shellQuote } from "../shell-protocol.ts";

/** A user, as the name service gives it to programs. */
export function user(data: UserAssertion): Assertion {
  const { name, uid, gid, groups, home, shell } = data;
  const expected = defined({ uid, gid, groups: groups === undefined ? undefined : [...groups].sort(), home, shell });
  const details = Object.entries(expected).map(([key, value]) => `${key} ${Array.isArray(value) ? value.join("+") : String(value)}`);
  return {
    description: `user ${name} exists${details.length === 0 ? "" : ` with ${details.join(", ")}`}`,
    run: Effect.fnUntraced(function* (machine) {
      const quoted = shellQuote(name);
      const result = yield* machine.run(`getent passwd ${quoted} && id -Gn ${quoted}`);
      if (result.status !== 0) return yield* mismatch(`a user ${name}`, "no such user", result.stderr);
      const [entry = "", groupLine = ""] = result.stdout.split("\n");
      const fields = entry.split(":");
      const actual = {
        uid: Number(fields[2]),
        gid: Number(fields[3]),
        groups: groupLine.split(" ").sort(),
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
      const result = yield* machine.run(`getent shadow ${shellQuote(user)}`);
      if (result.status !== 0) return yield* mismatch(`an entry for ${user} in the shadow file`, "none", result.stderr);
      const password = result.stdout.split(":")[1];
      if (password === undefined || password === "") return yield* mismatch("a locked password", "an empty one");
      if (!/^[!*]/.test(password)) return yield* mismatch("a locked password", "one that can be used");
    }),
  };
}
