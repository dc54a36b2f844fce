import { Box, render, Static, Text } from "ink";
import type { ReactElement } from "react";
import { formatBytes } from "./format.ts";
import { formatEvent } from "./lines.ts";
import { advance, downloadedBytes, initialProgress, type Progress } from "./progress.ts";
import type { Printer } from "./printer.ts";

const redrawMilliseconds = 100;
const shownBuilds = 8;

/** The live display on a terminal: what is finished scrolls away above, what runs is redrawn below. */
export function livePrinter(stderr: NodeJS.WriteStream): Printer {
  let progress = initialProgress;
  let lines: readonly string[] = [];
  const started = performance.now();
  const view = (): ReactElement => (
    <Display progress={progress} lines={lines} seconds={(performance.now() - started) / 1000} />
  );
  const instance = render(view(), { stdout: stderr, patchConsole: false, exitOnCtrlC: false });
  const timer = setInterval(() => instance.rerender(view()), redrawMilliseconds);
  return {
    emit: (event) => {
      progress = advance(progress, event);
      if (event.type === "build-started") return;
      const line = formatEvent(event);
      if (line !== undefined) lines = [...lines, line];
    },
    close: () => {
      clearInterval(timer);
      progress = { ...initialProgress };
      instance.rerender(view());
      instance.unmount();
    },
  };
}

function Display(props: {
  readonly progress: Progress;
  readonly lines: readonly string[];
  readonly seconds: number;
}): ReactElement {
  const { progress, lines, seconds } = props;
  const running = [...progress.running.values()];
  return (
    <>
      <Static items={[...lines]}>{(line, index) => <Text key={index}>{line}</Text>}</Static>
      <Box flexDirection="column">
        {running.slice(0, shownBuilds).map(({ name, lastLine }) => (
          <Text key={name} wrap="truncate-end">
            <Text color="cyan">▸ {name}</Text>
            <Text dimColor> {lastLine}</Text>
          </Text>
        ))}
        {running.length > shownBuilds ? <Text dimColor> and {running.length - shownBuilds} more</Text> : null}
        <Summary progress={progress} seconds={seconds} />
      </Box>
    </>
  );
}

function Summary({ progress, seconds }: { readonly progress: Progress; readonly seconds: number }): ReactElement | null {
  const { planned, builds, fetches } = progress;
  if (planned.builds + planned.fetches === 0) return null;
  const total = planned.downloadBytes > 0 ? ` of ${formatBytes(planned.downloadBytes)}` : "";
  return (
    <Text bold>
      {`${builds.done} of ${planned.builds} built`}
      {planned.fetches > 0
        ? `, ${fetches.done} of ${planned.fetches} downloaded (${formatBytes(downloadedBytes(progress))}${total})`
        : ""}
      {builds.failed > 0 ? `, ${builds.failed} failed` : ""}
      {` · ${Math.round(seconds)} s`}
    </Text>
  );
}
