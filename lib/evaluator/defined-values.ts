/** What modules say, merged: a configuration as one module would write it. */
import type { Evaluation } from "./evaluation.ts";
import { OptionsRecord } from "./evaluated-option.ts";
import { FunctionValue } from "./function-value.ts";
import { type OptionPath, pathOf, showOption } from "./location.ts";
import { discharge, mergeChecked } from "./merge.ts";
import type { Module } from "./module.ts";
import type { ModuleSource } from "./module-source.ts";
import { GroupNode, type OptionCell } from "./nodes.ts";
import { byCodeUnit, isRecord, recordSourceOf, setKey } from "./records.ts";
import type { AnyOptionType } from "./types/option-type.ts";
import { Secret } from "./types/field.ts";

/** Values by option, as nested records, and the options whose values are left out. */
export interface DefinedValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** What no data can say, such as functions, and what is not to be shown; sorted. */
  readonly omitted: readonly string[];
}

/**
 * The values that modules give to the options of a vocabulary, the vocabulary's own definitions aside: those follow
 * from these. Everything is merged by priority and type, defaults are left out; so a module with these values, and
 * the vocabulary, make the same configuration again.
 *
 * @param options the options of an evaluation, as thunks and `evalModules` give them
 * @param vocabulary modules that declare the options; options of other modules are left out
 */
export function definedValues(options: object, vocabulary: readonly Module[]): DefinedValues {
  const source = recordSourceOf(options);
  if (!(source instanceof OptionsRecord)) throw new TypeError("definedValues: expected the options of an evaluation");
  const { group } = source;
  const words = new Set<object>(vocabulary);
  const isVocabulary = (module: ModuleSource): boolean => module.module !== undefined && words.has(module.module);
  const omitted: string[] = [];
  const reader = new Reader(omitted, (cell) => cell.shape.declarations.some((each) => isVocabulary(each.source)));
  const values = reader.group(group, isVocabulary);
  return { values: isRecord(values) ? values : {}, omitted: omitted.sort(byCodeUnit) };
}

/** Marks what a record must not get a key for. */
const nothing = Symbol("nothing");

class Reader {
  private readonly omitted: string[];
  private readonly isWord: (cell: OptionCell) => boolean;

  constructor(omitted: string[], isWord: (cell: OptionCell) => boolean) {
    this.omitted = omitted;
    this.isWord = isWord;
  }

  /** @param follows whether the definitions of a module follow from others */
  group(group: GroupNode, follows: (source: ModuleSource) => boolean, isNested = false): unknown {
    const values: Record<string, unknown> = {};
    for (const key of group.shape.keys) {
      if (key === "_module") continue;
      const child = group.child(key);
      let value: unknown = nothing;
      if (child instanceof GroupNode) value = this.group(child, follows, isNested);
      else if (child !== undefined && (isNested || this.isWord(child))) value = this.cell(child, follows);
      if (value !== nothing) setKey(values, key, value);
    }
    return Object.keys(values).length === 0 ? nothing : values;
  }

  private cell(cell: OptionCell, follows: (source: ModuleSource) => boolean): unknown {
    const { fields } = cell;
    if (fields.internal === true || fields.readOnly === true || fields.forward !== undefined) return nothing;
    if (cell.definitions.length === 0) return nothing;
    // Whoever asks depends on the value, not only on its definitions.
    const whole = cell.force();
    if (whole === null && fields.default === null) return nothing;
    const all = discharge(cell.definitions, cell);
    const definitions = all.filter(({ source }) => !follows(source));
    if (definitions.length === 0) return nothing;
    if (fields.sensitive === true || isBeyondData(fields.type)) return this.omit(pathOf(cell));
    // What adds nothing need not be taken away: merging again would evaluate every submodule twice.
    const isWhole = fields.apply === undefined && all.every((each) => !follows(each.source) || isEmpty(each.value));
    return this.value(isWhole ? whole : mergeChecked(fields.type, cell, definitions), pathOf(cell));
  }

  private value(value: unknown, path: OptionPath): unknown {
    if (typeof value === "function" || value instanceof FunctionValue || value === undefined) return this.omit(path);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      return value.map((each: unknown, index) => this.value(each, [...path, String(index)])).filter(isSomething);
    }
    const source = recordSourceOf(value);
    if (source instanceof GroupNode) return this.submodule(source);
    if (source !== undefined) return this.record(source.keyList(), (key) => source.readKey(key), path);
    if (isRecord(value)) return this.record(Object.keys(value).sort(byCodeUnit), (key) => value[key], path);
    if (value instanceof Secret) return value.reference;
    // Derivations, sources and the like say what they are; anything else is not data.
    if (value.toString === Object.prototype.toString) return this.omit(path);
    return String(value);
  }

  private record(keys: readonly string[], read: (key: string) => unknown, path: OptionPath): unknown {
    const values: Record<string, unknown> = {};
    for (const key of keys) {
      const value = this.value(read(key), [...path, key]);
      if (value !== nothing) setKey(values, key, value);
    }
    return values;
  }

  /** What the submodule's own modules define follows from the rest, too. */
  private submodule(group: GroupNode): unknown {
    const own = ownSources(group.evaluation);
    const value = this.group(group, (source) => own.has(source), true);
    const open = group.evaluation.freeform(group.location);
    const closed = value === nothing ? {} : (value as Readonly<Record<string, unknown>>);
    if (open === undefined) return closed;
    return {
      ...closed,
      ...(this.record(open.keyList(), (key) => open.readKey(key), pathOf(group.location)) as object),
    };
  }

  private omit(path: OptionPath): typeof nothing {
    this.omitted.push(showOption(path));
    return nothing;
  }
}

/** Whether a type takes only values, or lists of values, that no data file can hold. */
function isBeyondData(type: AnyOptionType): boolean {
  const schema = type.fields.schema?.();
  return schema === false || (isRecord(schema) && schema["type"] === "array" && schema["items"] === false);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
}

function isSomething(value: unknown): boolean {
  return value !== nothing;
}

function ownSources({ input }: Evaluation): ReadonlySet<ModuleSource> {
  return new Set(input.imports.length > 0 ? [] : input.shared?.modules.map(({ source }) => source));
}
