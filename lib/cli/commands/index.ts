import type { Command, CommandGroup } from "../command.ts";
import { buildCommand } from "./build.ts";
import { checkCommand } from "./check.ts";
import { showDerivationCommand } from "./derivation/show.ts";
import { diffClosuresCommand } from "./diff-closures.ts";
import { evalCommand } from "./eval.ts";
import { lintCommand } from "./lint.ts";
import { logCommand } from "./log.ts";
import { optionCommand } from "./option.ts";
import { optionsCommand } from "./options.ts";
import { pathInfoCommand } from "./path-info.ts";
import { planCommand } from "./plan.ts";
import { replayCommand } from "./replay.ts";
import { resolveCommand } from "./resolve.ts";
import { showCommand } from "./show.ts";
import { gcCommand } from "./store/gc.ts";
import { generateKeyCommand } from "./store/generate-key.ts";
import { pullCommand } from "./store/pull.ts";
import { pushCommand } from "./store/push.ts";
import { rootsCommand } from "./store/roots.ts";
import { serveCommand } from "./store/serve.ts";
import { verifyCommand } from "./store/verify.ts";
import { updateCommand } from "./update.ts";
import { whyDependsCommand } from "./why-depends.ts";
import { whyRebuildCommand } from "./why-rebuild.ts";

/** Every command, in the order of the help. */
export const commands: readonly (Command | CommandGroup)[] = [
  buildCommand,
  checkCommand,
  planCommand,
  evalCommand,
  resolveCommand,
  showCommand,
  optionCommand,
  optionsCommand,
  lintCommand,
  updateCommand,
  logCommand,
  whyRebuildCommand,
  whyDependsCommand,
  pathInfoCommand,
  diffClosuresCommand,
  { name: "derivation", description: "Look at derivations", commands: [showDerivationCommand] },
  {
    name: "store",
    description: "Tend the store, and exchange with binary caches",
    commands: [gcCommand, verifyCommand, rootsCommand, pushCommand, pullCommand, serveCommand, generateKeyCommand],
  },
  replayCommand,
];
