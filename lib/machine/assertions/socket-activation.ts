import * as Effect from "effect/Effect";
import { expectEqual, mismatch, type Assertion } from "../assertion.ts";
import type { SocketActivationAssertion } from "../assertion-data.ts";
import { shellQuote } from "../shell-protocol.ts";
import { parseUnitState, showUnit, unitFailure } from "../units.ts";

/**
 * A service that starts with the first request on its socket: it is not running
 * before, it answers, and it is running after.
 */
export function socketActivation(data: SocketActivationAssertion): Assertion {
  return {
    description: `${data.service} starts by a request on ${data.path} and answers it`,
    run: Effect.fnUntraced(function* (machine) {
      yield* machine.waitForUnit(data.socket);
      const before = parseUnitState((yield* machine.run(showUnit(data.service))).stdout);
      yield* expectEqual("inactive", before.activeState, `${data.service} was to be started by the request only`);

      const answer = yield* machine.run(requestCommand(data.path, data.request), { timeout: 60 });
      const after = parseUnitState((yield* machine.run(showUnit(data.service))).stdout);
      if (after.activeState !== "active") {
        return yield* unitFailure(machine.name, machine.run, data.service, `is ${after.activeState} after the request`);
      }
      if (answer.status !== 0) {
        return yield* mismatch(
          `an answer on ${data.path}`,
          `exit status ${answer.status} of the request`,
          answer.stderr,
        );
      }
      const fields = parseFields(answer.stdout);
      if (fields === undefined) return yield* mismatch("a line of JSON", JSON.stringify(answer.stdout));
      const compared = Object.keys(data.answer).map((key): [string, unknown] => [key, fields[key]]);
      yield* expectEqual(data.answer, Object.fromEntries(compared));
    }),
  };
}

/**
 * Sends a line to a Unix stream socket and prints the line that comes back.
 *
 * A bare image has no program that talks to such a socket, but systemd connects
 * the standard streams of a service to one (`StandardInput=file:`), see systemd.exec(5).
 */
export function requestCommand(path: string, request: string | undefined): string {
  const answer = "/run/helios-shell/answer";
  const send = request === undefined ? "" : `printf '%s\\n' ${shellQuote(request)}; `;
  const script = `${send}IFS= read -r line; printf '%s\\n' "$line" >${answer}`;
  const properties = [`StandardInput=file:${path}`, `StandardOutput=file:${path}`, "StandardError=journal"];
  const words = [
    ["systemd-run", "--quiet", "--wait", "--collect", "--expand-environment=no"],
    properties.map((property) => `--property=${shellQuote(property)}`),
    ["/bin/sh", "-c", shellQuote(script)],
  ].flat();
  return `: >${answer} && ${words.join(" ")} && cat ${answer}`;
}

function parseFields(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
