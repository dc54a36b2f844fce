import type { EngineEvent } from "#lib/platform/events.ts";

/** Shows what the engine does, on stderr; stdout belongs to results. */
export interface Printer {
  readonly emit: (event: EngineEvent) => void;
  /** Restores the terminal and prints what is still pending. What is emitted later is written as plain lines. */
  readonly close: () => void;
}

/** The forms of progress a user can ask for; `auto` is live on a terminal, and lines elsewhere and where `CI` is set. */
export const progressForms = ["auto", "live", "lines", "json", "quiet"] as const;
export type ProgressForm = (typeof progressForms)[number];

/** Chooses a printer. React and ink are loaded only for the live one. */
export async function makePrinter(form: ProgressForm, stderr: NodeJS.WriteStream): Promise<Printer> {
  switch (form === "auto" ? (canRedraw(stderr) ? "live" : "lines") : form) {
    case "live":
      return (await import("./live.tsx")).livePrinter(stderr);
    case "json":
      return { emit: (event) => void stderr.write(`${JSON.stringify(event)}\n`), close: () => {} };
    case "quiet":
      return {
        emit: (event) => {
          if (event.type === "warning") stderr.write(`warning: ${event.message}\n`);
        },
        close: () => {},
      };
    default:
      return (await import("./lines.ts")).linesPrinter(stderr);
  }
}

/** Some terminals, such as those of a container that nobody looks at, say that they have no rows: ink would clear them all. */
const canRedraw = ({ isTTY, rows, columns }: NodeJS.WriteStream): boolean =>
  isTTY && rows > 0 && columns > 0 && process.env["CI"] === undefined;
