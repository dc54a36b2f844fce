import type { AssertionData } from "./assertion-data.ts";
import type { Credential } from "./credentials.ts";
import { shellQuote } from "./shell-protocol.ts";

/** A moment at which the power fails: where a unit runs a program. Plain data, so that modules can declare it. */
export interface PowerCutData {
  /** Completes "the power fails": "before DATA has a file system". */
  readonly description: string;
  /** Full name of the unit. */
  readonly unit: string;
  /** Name of the program, as the unit's PATH finds it. */
  readonly program: string;
  /** A word that the program must have been given; other calls of it go on as ever. */
  readonly argument?: string;
  /** Before the program starts, at its start while it works, or when it has ended and before anybody knows. */
  readonly when: "before" | "during" | "after";
}

/** Power cuts that follow one another on one disk, and what must be true in the boot after the last one. */
export interface PowerCutSeriesData {
  readonly cuts: readonly PowerCutData[];
  readonly assertions: readonly AssertionData[];
}

/** What the guest says on its console when the moment has come. */
export const powerCutMark = "helios: the power may fail now";

const directory = "/run/helios-power-cut";
/** A pipe, since no ordinary user may write to the console, and any unit to a pipe, also where all of /run is read-only. */
const moment = `${directory}/moment`;
const setUp = "power-cut";
const standIn = "power-cut.program";
/** fw_cfg leaves nine characters for the name of an extra unit. */
const unitName = "c.service";

/**
 * The credentials by which an unmodified image tells of the moment: a unit that mounts a stand-in over the program
 * before the unit in question starts. The stand-in calls the real one, and says the mark before or after it, which the
 * unit passes on to the console.
 */
export function powerCutCredentials(cut: PowerCutData): Credential[] {
  return [
    { name: `systemd.extra-unit.${unitName}`, content: unitText(cut) },
    { name: "systemd.unit-dropin.-.mount~cut", content: `[Unit]\nWants=${unitName}\n` },
    { name: setUp, content: setUpScript(cut) },
    { name: standIn, content: standInScript(cut) },
  ];
}

const unitText = ({ unit }: PowerCutData): string =>
  [
    "[Unit]",
    "Description=Waits for the moment of the power cut",
    "DefaultDependencies=no",
    `Before=${unit}`,
    "[Service]",
    "Type=oneshot",
    `ExecStart=/bin/sh /run/credentials/@system/${setUp}`,
    // What it leaves behind waits for the moment.
    "RemainAfterExit=yes",
    "",
  ].join("\n");

const setUpScript = ({ program }: PowerCutData): string =>
  [
    // What goes wrong here is to be read on the console, since the moment will then not come.
    "exec >/dev/console 2>&1",
    "set -eu",
    `path=$(command -v -- ${shellQuote(program)})`,
    // A file system of its own: nothing may be run from /run.
    `mkdir -p ${directory}`,
    `mount -t tmpfs -o mode=0755 power-cut ${directory}`,
    `cp -- "$path" ${directory}/${shellQuote(program)}`,
    `cp -- /run/credentials/@system/${standIn} ${directory}/stand-in`,
    `chmod 0755 ${directory}/stand-in`,
    `mkfifo -m 0666 ${moment}`,
    `cat ${moment} &`,
    `mount --bind ${directory}/stand-in "$path"`,
    "",
  ].join("\n");

function standInScript({ program, argument, when }: PowerCutData): string {
  const real = `${directory}/${shellQuote(program)} "$@"`;
  const mark = `echo ${shellQuote(powerCutMark)} >${moment}`;
  const wait = "while :; do sleep 60; done";
  const other =
    argument === undefined ? [] : [`case " $* " in *${shellQuote(` ${argument} `)}*) ;; *) exec ${real};; esac`];
  const then = { before: [mark, wait], during: [mark, `exec ${real}`], after: [`${real} || exit`, mark, wait] }[when];
  return ["#!/bin/sh", ...other, ...then, ""].join("\n");
}
