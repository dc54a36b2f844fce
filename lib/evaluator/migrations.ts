/** Modules that keep old option names working: renamed, removed, changed, merged, aliased. */
import { type OptionPath, showOption } from "./location.ts";
import type { Module } from "./module.ts";
import { type Forward, Option } from "./option.ts";
import { PropertyRecord } from "./properties.ts";
import { setKey } from "./records.ts";
import type { EvaluatedOption } from "./evaluated-option.ts";
import { unspecified } from "./types/opaque.ts";

function treeAt(path: OptionPath, value: unknown): object {
  let tree = value;
  for (const key of [...path].reverse()) {
    const level: Record<string, unknown> = {};
    setKey(level, key, tree);
    tree = level;
  }
  return tree as object;
}

/** Reads `path` below a record; undefined where it ends. */
export function getAttrByPath(path: OptionPath, record: unknown): unknown {
  let at = record;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !(key in at)) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}

/** The general form of renaming. */
export interface Renaming {
  readonly from: OptionPath;
  readonly to: OptionPath;
  /** Whether documentation shows the old name. */
  readonly visible: boolean;
  /** Whether a definition of the old name adds a warning, where `warnings` is declared. */
  readonly warn: boolean;
  /** What reading the old name gives, from the new value. */
  readonly use?: (value: unknown) => unknown;
  /** Definitions are forwarded only while this holds. */
  readonly condition?: boolean | ((config: never, arguments_: never) => boolean);
}

/** Definitions of `from` count for `to`, each with its own priority, order and condition; reading `from` reads `to`. */
export function doRename(renaming: Renaming): Module {
  const { from, to, visible, warn, use, condition } = renaming;
  const forward: Forward = {
    to,
    ...(condition === undefined ? {} : { condition }),
    ...(use === undefined ? {} : { use }),
    ...(warn ? { warning: renamedText(to) } : {}),
  };
  const option = new Option({ type: unspecified, visible, forward, description: `Alias of \`${showOption(to)}\`.` });
  return { key: `rename ${showOption(from)} to ${showOption(to)}`, options: treeAt(from, option) };
}

function renamedText(to: OptionPath): NonNullable<Forward["warning"]> {
  return (from, file) => `The option \`${showOption(from)}\` defined in ${file} is now called \`${showOption(to)}\`.`;
}

/** The option has a new name; the old one works with a warning. */
export function mkRenamedOptionModule(from: OptionPath, to: OptionPath): Module {
  return doRename({ from, to, visible: false, warn: true });
}

/** A rename that warns only once every supported release has the new name. */
export function mkRenamedOptionModuleWith(options: {
  readonly from: OptionPath;
  readonly to: OptionPath;
  readonly sinceRelease: number;
  readonly oldestSupportedRelease: number;
}): Module {
  const { from, to, sinceRelease, oldestSupportedRelease } = options;
  return doRename({ from, to, visible: false, warn: oldestSupportedRelease >= sinceRelease });
}

/** A second name for an option. */
export function mkAliasOptionModule(from: OptionPath, to: OptionPath): Module {
  return doRename({ from, to, visible: true, warn: false });
}

/** The option is gone: defining it fails an assertion, reading it is an error. `reason` says what to do instead. */
export function mkRemovedOptionModule(path: OptionPath, reason: string): Module {
  const forward: Forward = {
    failure: (from, file) =>
      `The option \`${showOption(from)}\` defined in ${file} no longer has any effect; please remove it. ${reason}`,
    use: () => {
      throw new Error(`The option \`${showOption(path)}\` has been removed. ${reason}`);
    },
  };
  return {
    key: `remove ${showOption(path)}`,
    options: treeAt(path, new Option({ type: unspecified, visible: false, forward })),
  };
}

/** The new option's value is computed from the old ones' while any of them is defined. */
export function mkMergedOptionModule(
  from: readonly OptionPath[],
  to: OptionPath,
  merge: (config: never) => unknown,
): Module {
  const names = from.map((path) => showOption(path));
  const forward: Forward = {
    keeps: true,
    warning: (old, file) =>
      `The option \`${showOption(old)}\` defined in ${file} has been changed to \`${showOption(to)}\`, which has another type. Please read its documentation and define it instead.`,
  };
  const declared = from.map((path) => treeAt(path, new Option({ type: unspecified, visible: false, forward })));
  const definedIn = (arguments_: { readonly options: object }, path: OptionPath): EvaluatedOption | undefined => {
    const option = getAttrByPath(path, arguments_.options) as EvaluatedOption | undefined;
    return option?.isDefined === true ? option : undefined;
  };
  type Arguments = { readonly options: object };
  const anyDefined = (_config: object, arguments_: Arguments): boolean =>
    from.some((path) => definedIn(arguments_, path) !== undefined);
  return {
    key: `merge ${names.join(", ")} to ${showOption(to)}`,
    imports: declared.map((options): Module => ({ options })),
    config: new PropertyRecord("if", treeAt(to, merge), anyDefined),
    options: {},
  };
}

/** The option has a new name and a value of another type, which `change` computes from the configuration. */
export function mkChangedOptionModule(from: OptionPath, to: OptionPath, change: (config: never) => unknown): Module {
  return mkMergedOptionModule([from], to, change);
}

type Select = (options: never) => EvaluatedOption;

/** The definitions of another option, for an option that should follow it. */
export function mkAliasDefinitions(select: Select): never {
  return mkAliasAndWrapDefinitions((definitions) => definitions, select);
}

/** As `mkAliasDefinitions`, with the definitions wrapped. */
export function mkAliasAndWrapDefinitions(wrap: (definitions: unknown) => unknown, select: Select): never {
  type Arguments = { readonly options: never };
  // The static type is that of the place where the alias stands, which only the user knows.
  return new PropertyRecord(
    "if",
    (_config: object, { options }: Arguments) =>
      wrap(new PropertyRecord("merge", select(options).definitions, undefined)),
    (_config: object, { options }: Arguments) => select(options).isDefined,
  ) as never;
}
