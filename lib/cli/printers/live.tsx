import { Box, render, Static, Text } from "ink";
import type { ReactElement } from "react";
import { plainLine } from "#lib/platform/plain-text.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { formatEvent } from "./lines.ts";
import { advance, downloadedBytes, initialProgress, type Progress } from "./progress.ts";
import type { Printer } from "./printer.ts";

const redrawMilliseconds = 100;
/** Rows that are never used for builds: the summary, what scrolls away, and the shell's prompt afterwards. */
const otherRows = 4;
const mostBuilds = 8;
const topLeft = "\u001B[H";
/** Row by row: a screen that is cleared at once goes to the terminal's history, with the rows that are to vanish. */
const clearScreen = (rows: number): string =>
  `${topLeft}${Array.from({ length: rows }, () => "\u001B[2K").join("\u001B[1B")}${topLeft}`;

/** The live display on a terminal: what is finished scrolls away above, what runs is redrawn below. */
export function livePrinter(stderr: NodeJS.WriteStream): Printer {
  let progress = initialProgress;
  let lines: readonly string[] = [];
  let open = true;
  const started = performance.now();
  const rows = () => Math.max(1, Math.min(mostBuilds, stderr.rows - otherRows));
  let { columns } = stderr;
  // A terminal that becomes narrower breaks rows in two, each in its own way, and ink erases as many as it has drawn. So
  // the screen is drawn anew; what has scrolled away stays.
  const redraw = (): void => {
    const narrower = stderr.columns < columns;
    columns = stderr.columns;
    if (!narrower) return;
    const below = Math.min(progress.running.size, rows()) + 1;
    const kept = lastRows(lines, stderr.rows - below - 1, columns);
    // The empty rows are those that ink erases next.
    stderr.write(`${clearScreen(stderr.rows)}${kept.map((line) => `${line}\n`).join("")}${"\n".repeat(below)}`);
  };
  const view = (): ReactElement => (
    <Display progress={progress} lines={lines} milliseconds={performance.now() - started} rows={rows()} />
  );
  const instance = render(view(), { stdout: stderr, patchConsole: false, exitOnCtrlC: false });
  stderr.prependListener("resize", redraw);
  const timer = setInterval(() => instance.rerender(view()), redrawMilliseconds);
  return {
    emit: (event) => {
      progress = advance(progress, event);
      if (event.type === "build-started") return;
      const line = formatEvent(event);
      if (line === undefined) return;
      if (open) lines = [...lines, line];
      else stderr.write(`${line}\n`);
    },
    close: () => {
      if (!open) return;
      open = false;
      clearInterval(timer);
      stderr.off("resize", redraw);
      // The last summary stays; what was running was interrupted, or has failed and been reported.
      progress = { ...progress, running: new Map() };
      instance.rerender(view());
      instance.unmount();
    },
  };
}

/** The last lines that fit into some rows of a terminal. */
export function lastRows(lines: readonly string[], rows: number, columns: number): readonly string[] {
  let left = rows;
  const first = lines.findLastIndex((line) => (left -= Math.max(1, Math.ceil(line.length / columns))) < 0);
  return lines.slice(first + 1);
}

/** Text of a builder as it can stand on one row. */
export const oneRow = (text: string): string => plainLine(text).trim();

function Display(props: {
  readonly progress: Progress;
  readonly lines: readonly string[];
  readonly milliseconds: number;
  readonly rows: number;
}): ReactElement {
  const { progress, lines, milliseconds, rows } = props;
  const running = [...progress.running];
  const hidden = running.length > rows ? running.length - rows + 1 : 0;
  return (
    <>
      <Static items={[...lines]}>{(line, index) => <Text key={index}>{line}</Text>}</Static>
      <Box flexDirection="column">
        {running.slice(0, running.length - hidden).map(([derivation, { name, phase, lastLine }]) => (
          <Text key={derivation} wrap="truncate-end">
            <Text color="cyan">▸ {name}</Text>
            {phase === undefined ? null : <Text color="yellow"> {phase}</Text>}
            {/* A builder that also prints its phase, for the log, would show it twice. */}
            <Text dimColor> {lastLine === phase ? "" : oneRow(lastLine)}</Text>
          </Text>
        ))}
        {hidden > 0 ? <Text dimColor> and {hidden} more</Text> : null}
        <Summary progress={progress} milliseconds={milliseconds} />
      </Box>
    </>
  );
}

function Summary(props: { readonly progress: Progress; readonly milliseconds: number }): ReactElement | null {
  const { planned, builds, fetches } = props.progress;
  if (planned.builds + planned.fetches === 0) return null;
  const parts = [
    `${builds.done} of ${planned.builds} built`,
    ...(builds.failed > 0 ? [`${builds.failed} failed`] : []),
    ...(planned.fetches > 0 ? [`${fetches.done} of ${planned.fetches} downloaded${bytesOf(props.progress)}`] : []),
  ];
  // Whole seconds: anything finer would redraw the terminal all the time.
  const seconds = Math.floor(props.milliseconds / 1000) * 1000;
  return (
    <Text bold wrap="truncate-end">
      {`${parts.join(", ")} · ${formatDuration(seconds)
        .replace(/\.0 s$/, " s")
        .replace(/^0 ms$/, "0 s")}`}
    </Text>
  );
}

function bytesOf(progress: Progress): string {
  const { downloadBytes } = progress.planned;
  const arrived = formatBytes(downloadedBytes(progress));
  return ` (${downloadBytes > 0 ? `${arrived} of ${formatBytes(downloadBytes)}` : arrived})`;
}
