import * as Effect from "effect/Effect";
import { mismatch, type Assertion } from "../assertion.ts";
import type { JournalAssertion } from "../assertion-data.ts";

/** One entry, as `journalctl --output=json` prints it; see systemd.journal-fields(7). */
interface Entry {
  /** The unit that wrote it, or that systemd wrote about. */
  readonly unit: string;
  readonly message: string;
}

function parseJournal(text: string): Entry[] {
  return text.split("\n").flatMap((line): Entry[] => {
    if (line.trim() === "") return [];
    const fields: unknown = JSON.parse(line);
    if (typeof fields !== "object" || fields === null) return [];
    const field = (name: string): unknown => (fields as Record<string, unknown>)[name];
    const unit = field("UNIT") ?? field("_SYSTEMD_UNIT") ?? field("SYSLOG_IDENTIFIER");
    return [{ unit: typeof unit === "string" ? unit : "", message: messageText(field("MESSAGE")) }];
  });
}

/** A message that is no text comes as an array of its bytes. */
function messageText(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? Buffer.from(value.map(Number)).toString("utf8") : String(value);
}

/** `a@b.service` is an instance of `a@.service`. */
const template = (unit: string): string => unit.replace(/@.+(?=\.[a-z]+$)/, "@");

const fields = "MESSAGE,UNIT,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER";

/** No complaint by or about any of the units. What other programs complain of is theirs. */
export function journal({ units }: JournalAssertion): Assertion {
  const ours = new Set(units);
  return {
    description: `the journal has no warning of ${units.length} units`,
    run: Effect.fnUntraced(function* (machine) {
      // Entries of any priority first: a journal that holds nothing would prove nothing.
      const any = yield* machine.succeed("journalctl --boot --quiet --no-pager --lines=1 --output=cat _PID=1");
      if (any.trim() === "") return yield* mismatch("a journal with entries of systemd", "an empty one");
      const text = yield* machine.succeed(
        `journalctl --boot --quiet --no-pager --priority=warning --output=json --output-fields=${fields}`,
      );
      const complaints = parseJournal(text).filter(({ unit }) => ours.has(unit) || ours.has(template(unit)));
      if (complaints.length > 0) {
        const lines = complaints.slice(0, 20).map(({ unit, message }) => `${unit}: ${message}`);
        return yield* mismatch("no warning", `${complaints.length}`, lines.join("\n"));
      }
    }),
  };
}
