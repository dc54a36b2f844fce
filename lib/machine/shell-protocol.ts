/**
 * The protocol between the test driver and the guest's shell, as pure functions.
 *
 * A request is one call of the guest's shell function `run` (below). An answer is
 * one line that starts with the byte RS (0x1E):
 *
 *     RS <sum> <status> <length> <length> <standard output> <standard error>
 *
 * Both outputs are base64 ("." when empty), and the lengths of both texts are
 * given beforehand, so that noise within the line shows. `sum` is the result of
 * an addition that the guest made.
 */

/**
 * The line with which the guest's shell begins. Nothing is sent before it comes: a
 * firmware that finds the port takes it for a console and would swallow a request.
 * It proves nothing, it only starts the conversation.
 */
export const greeting = "helios.shell is here";

/** The byte that starts an answer. */
export const answerMark = 0x1e;

export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a line is to somebody who waits for the answer with a certain sum. */
export type ParsedAnswer =
  | { readonly type: "answer"; readonly answer: Answer }
  | { readonly type: "damaged"; readonly problem: string }
  | { readonly type: "noise" };

/**
 * Defines `run SUM SECONDS COMMAND` in the guest.
 *
 * It needs a POSIX shell, `base64` and, for the time limit, `timeout`; each fork
 * costs an emulated processor dearly, so it makes no more than these. Output goes
 * through files so that a process left in the background cannot hold back the answer.
 */
export function shellFunctions(directory: string): string {
  return [
    // The locale makes ${#x} count bytes; nothing here must ever wait for a pager.
    `export LC_ALL=C.UTF-8 SYSTEMD_PAGER= SYSTEMD_COLORS=0 HOME=/root; cd /; mkdir -p -m 0700 ${shellQuote(directory)}`,
    "run() {",
    // Files of its own for each command: one that stays in the background must not write into a later one's answer.
    `helios_files=${shellQuote(directory)}/$1 helios_out= helios_err=`,
    'if [ "$2" -gt 0 ] && command -v timeout >/dev/null',
    'then timeout -k 5 "$2" sh -c "$3" </dev/null >"$helios_files.out" 2>"$helios_files.err"',
    'else sh -c "$3" </dev/null >"$helios_files.out" 2>"$helios_files.err"; fi; helios_status=$?',
    '[ ! -s "$helios_files.out" ] || helios_out=$(base64 -w0 "$helios_files.out")',
    '[ ! -s "$helios_files.err" ] || helios_err=$(base64 -w0 "$helios_files.err")',
    'printf \'\\n\\036%s %d %d %d %s %s\\n\' "$1" "$helios_status" "${#helios_out}" "${#helios_err}" "${helios_out:-.}" "${helios_err:-.}"',
    ': >"$helios_files.out" >"$helios_files.err"',
    "}",
  ].join("\n");
}

/** Reads the rest of a line after the mark. */
export function parseAnswer(text: string, sum: string): ParsedAnswer {
  const [gotSum, status, outLength, errLength, out, err, ...more] = text.split(" ");
  if (gotSum !== sum) return { type: "noise" };
  const damaged = (problem: string): ParsedAnswer => ({
    type: "damaged",
    problem: `the guest's answer is damaged: ${problem}`,
  });
  if (
    status === undefined ||
    outLength === undefined ||
    errLength === undefined ||
    out === undefined ||
    err === undefined
  ) {
    return damaged("it is cut short");
  }
  if (more.length > 0) return damaged("it has too many fields");
  if (!/^\d{1,3}$/.test(status)) return damaged(`'${status.slice(0, 20)}' is no exit status`);
  const stdout = decode(out, outLength);
  const stderr = decode(err, errLength);
  if (stdout === undefined) return damaged("standard output does not have the length that the guest computed");
  if (stderr === undefined) return damaged("standard error does not have the length that the guest computed");
  return { type: "answer", answer: { status: Number(status), stdout, stderr } };
}

function decode(field: string, length: string): string | undefined {
  if (field === "") return undefined;
  const text = field === "." ? "" : field;
  if (String(text.length) !== length || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, "base64").toString("utf8");
}

/** Quotes `text` as one word of a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
