import { Box, render, Static, Text } from "ink";
import { stripVTControlCharacters } from "node:util";
import type { ReactElement } from "react";
import { formatBytes, formatDuration } from "./format.ts";
import { formatEvent } from "./lines.ts";
import { advance, downloadedBytes, initialProgress, type Progress } from "./progress.ts";
import type { Printer } from "./printer.ts";

const redrawMilliseconds = 100;
/** Rows that are never used for builds: the summary, what scrolls away, and the shell's prompt afterwards. */
const otherRows = 4;
const mostBuilds = 8;

/** The live display on a terminal: what is finished scrolls away above, what runs is redrawn below. */
export function livePrinter(stderr: NodeJS.WriteStream): Printer {
  let progress = initialProgress;
  let lines: readonly string[] = [];
  let open = true;
  const started = performance.now();
  const view = (): ReactElement => (
    <Display
      progress={progress}
      lines={lines}
      milliseconds={performance.now() - started}
      rows={Math.max(1, Math.min(mostBuilds, stderr.rows - otherRows))}
    />
  );
  const instance = render(view(), { stdout: stderr, patchConsole: false, exitOnCtrlC: false });
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
      // The last summary stays; what was running was interrupted, or has failed and been reported.
      progress = { ...progress, running: new Map() };
      instance.rerender(view());
      instance.unmount();
    },
  };
}

/** Text of a builder as it can stand on one row: without what moves the cursor, changes colours or rings. */
export function oneRow(text: string): string {
  // A progress bar overwrites its row; its last state counts.
  const last = stripVTControlCharacters(text.trimEnd().split("\r").at(-1) ?? "");
  return last
    .replace(/\t/g, " ")
    .replace(/\p{Cc}/gu, "")
    .trim();
}

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
            <Text dimColor> {oneRow(lastLine)}</Text>
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
