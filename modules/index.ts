import "#lib/platform/source-files.ts";
import { assertionsModule, evalModules, type Module } from "#lib/evaluator/index.ts";
import type { BootCheck } from "#lib/flake/check.ts";
import type { GivenInputs } from "#lib/flake/given-inputs.ts";
import type { Packages } from "#pkgs/index.ts";
import archive from "./archive.ts";
import board from "./board.ts";
import boot from "./boot.ts";
import build from "./build.ts";
import buildroot from "./buildroot.ts";
import consistency from "./consistency.ts";
import image from "./image.ts";
import inputs, { inputsFrom } from "./inputs/index.ts";
import kernel from "./kernel/index.ts";
import legacy from "./legacy.ts";
import localFiles, { type DefinitionFile } from "./local-files/index.ts";
import locale from "./locale.ts";
import networkd from "./networkd/index.ts";
import networking from "./networking.ts";
import openssh from "./openssh.ts";
import program from "./program.ts";
import resolved from "./resolved.ts";
import secrets from "./secrets.ts";
import services from "./services/index.ts";
import sysusers from "./services/sysusers.ts";
import tmpfiles from "./services/tmpfiles.ts";
import udev from "./services/udev.ts";
import { removedOptions } from "./removed-options.ts";
import stageServices from "./stage-services.ts";
import stage from "./stage.ts";
import system from "./system.ts";
import spare from "./spare.ts";
import tasks from "./tasks.ts";
import tests from "./tests.ts";
import users from "./users.ts";
import passwords from "./users/passwords.ts";
import workspace, { workspaceAt } from "./workspace.ts";

/** Every option module. */
const optionModules: readonly Module[] = [
  assertionsModule,
  archive,
  board,
  boot,
  build,
  buildroot,
  consistency,
  image,
  inputs,
  kernel,
  legacy,
  localFiles,
  locale,
  networkd,
  networking,
  openssh,
  passwords,
  program,
  resolved,
  secrets,
  services,
  spare,
  stage,
  stageServices,
  system,
  sysusers,
  tasks,
  tests,
  tmpfiles,
  udev,
  users,
  workspace,
  ...removedOptions,
];

/** An evaluated system. */
export type System = ReturnType<typeof evalSystem>;

/** What a system is evaluated from. */
export interface SystemRequest {
  readonly pkgs: Packages;
  readonly modules: readonly Module[];
  /** Where relative local paths start unless `workspace.root_dir` says otherwise: the flake's directory. */
  readonly directory?: string;
  /** Values of inputs from the command line. */
  readonly given?: GivenInputs;
  /** The file of definitions that this is the system of, and where it has a key. */
  readonly document?: DefinitionFile;
}

/** Evaluates a system: all option modules, and the modules given. What it builds requires its assertions to hold. */
export function evalSystem({ pkgs, modules, directory, given, document }: SystemRequest) {
  return evalModules({
    modules: [
      ...optionModules,
      ...modules,
      ...(directory === undefined ? [] : [workspaceAt(directory)]),
      ...(given === undefined ? [] : [inputsFrom(given)]),
    ],
    specialArgs: {
      pkgs,
      vocabulary: optionModules,
      flakeDirectory: directory ?? null,
      localFiles: directory === undefined && document === undefined ? null : { document },
    },
  });
}

/** The check that boots a system's image in QEMU and verifies what its modules promise. */
export function bootCheck({
  pkgs,
  system: { config },
}: {
  readonly pkgs: Packages;
  readonly system: System;
}): BootCheck {
  const { image } = config.system.build;
  const { efiFirmware } = pkgs;
  const { qemu } = pkgs.environments;
  return {
    derivations: [image, qemu, efiFirmware],
    qemu,
    firmware: { derivation: efiFirmware, path: "" },
    image: { derivation: image, path: config.image.fileName },
    diskMiB: config.tests.diskMiB,
    assertions: config.tests.boot,
    persistent: config.tests.persistent,
    afterReboot: config.tests.reboot,
    powerCuts: config.tests.powerCuts,
  };
}
