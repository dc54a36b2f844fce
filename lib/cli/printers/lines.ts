import type { EngineEvent } from "#lib/platform/events.ts";
import { count, formatBytes, formatDuration } from "./format.ts";
import type { Printer } from "./printer.ts";

/** Plain lines for logs and pipes: starts, ends and failures, no redrawing, downloads in one line. */
export function linesPrinter(stderr: { write(text: string): unknown }): Printer {
  const downloads = { files: 0, bytes: 0 };
  const write = (line: string): void => void stderr.write(`${line}\n`);
  const reportDownloads = (): void => {
    if (downloads.files === 0) return;
    write(`downloaded ${count(downloads.files, "file")}, ${formatBytes(downloads.bytes)}`);
    downloads.files = 0;
    downloads.bytes = 0;
  };
  return {
    emit: (event) => {
      if (event.type === "fetch-finished") {
        downloads.files += 1;
        downloads.bytes += event.bytes;
        return;
      }
      const line = formatEvent(event);
      if (line === undefined) return;
      reportDownloads();
      write(line);
    },
    close: reportDownloads,
  };
}

/** The line that tells of one event; undefined for what plain output leaves out. */
export function formatEvent(event: EngineEvent): string | undefined {
  switch (event.type) {
    case "plan": {
      if (event.builds + event.fetches === 0) return undefined;
      const size = event.downloadBytes > 0 ? ` (${formatBytes(event.downloadBytes)})` : "";
      return `to do: ${count(event.fetches, "download")}${size}, ${count(event.builds, "build")}`;
    }
    case "build-started":
      return event.pool === "fetch" ? undefined : `building ${event.name}`;
    case "build-finished":
      if (event.pool === "fetch" && event.outcome === "built") return undefined;
      switch (event.outcome) {
        case "built":
          return `built ${event.name} in ${formatDuration(event.milliseconds)}`;
        case "cut-off":
          return `unchanged ${event.name}: its inputs have the same content as in an earlier build`;
        case "failed":
          return `failed ${event.name} after ${formatDuration(event.milliseconds)}`;
      }
      break;
    case "fetch-retry":
      return `retrying ${event.name}: ${event.reason} (${event.url})`;
    case "lock-resolved":
      return `resolved ${event.environment} (${count(event.packages, "package")}): ${event.reason}`;
    case "check-result":
      return `${event.passed ? "ok" : "FAILED"} ${event.check}: ${event.assertion}${event.detail === "" ? "" : ` (${event.detail})`}`;
    case "note":
      return event.message;
    case "warning":
      return `warning: ${event.message}`;
    default:
      return undefined;
  }
}
