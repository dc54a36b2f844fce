/** Option types: immutable records that describe, check and merge values. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { readType, writeType } from "../definition.ts";
import type { Location, OptionPath } from "../location.ts";
import type { ShapeNode } from "../shape.ts";

/** How a type's description may be embedded in another one's. */
export type DescriptionClass = "noun" | "composite" | "conjunction" | "nonRestrictiveClause" | undefined;

/** How two declarations of one option combine: same functor name, payloads that combine. */
export interface TypeFunctor {
  readonly name: string;
  readonly payload: unknown;
  /** The type that accepts what both accept, or undefined when there is none. */
  merge(other: unknown): AnyOptionType | undefined;
}

/** Options below an option: what they are and the path they are shown under. */
export interface SubOptions {
  readonly prefix: OptionPath;
  readonly shape: ShapeNode;
}

/** What the values of a list or a record consist of, and what stands for the key of one: `*`, `<name>`. */
export interface Elements {
  readonly key: string;
  readonly type: AnyOptionType;
}

/** The parts of a type. */
export interface OptionTypeFields {
  readonly name: string;
  readonly description?: string | (() => string);
  readonly descriptionClass?: DescriptionClass;
  /** Whether the head of a value fits; elements are checked when they are merged. */
  readonly check?: (value: unknown) => boolean;
  /** Why a value that fails `check` is wrong, as a clause: "70000 is above 65535". */
  readonly why?: (value: unknown) => string | undefined;
  /** One value from all definitions of the best priority. `location` names the option or element. */
  readonly merge?: (location: Location, definitions: readonly DefinitionRecord[]) => unknown;
  /** The value of an option that nothing defines. */
  readonly emptyValue?: { readonly value: unknown };
  /** Whether merging no definitions at all gives the empty value. */
  readonly emptyByMerging?: boolean;
  readonly functor?: TypeFunctor;
  /** Whether a single checked definition is its own merged value. */
  readonly scalar?: boolean;
  readonly nested?: Readonly<Record<string, AnyOptionType>>;
  /** What lists and records that the type accepts consist of. */
  readonly elements?: readonly Elements[] | undefined;
  /** The options below, for documentation. */
  readonly subOptions?: (prefix: OptionPath) => readonly SubOptions[];
  /** The modules of a submodule type. */
  readonly subModules?: readonly unknown[];
  readonly substSubModules?: (modules: readonly unknown[]) => AnyOptionType;
  /** JSON Schema of a written value, without references to other schemas. */
  readonly schema?: () => unknown;
  readonly deprecationMessage?: string;
}

/** A type of option values. `R` is what `config` reads as, `W` describes what may be written. */
export class OptionType<R, W> {
  readonly _type = "option-type";
  declare readonly [readType]: R;
  declare readonly [writeType]: W;
  readonly name: string;
  readonly descriptionClass: DescriptionClass;
  readonly check: (value: unknown) => boolean;
  readonly merge: (location: Location, definitions: readonly DefinitionRecord[]) => unknown;
  readonly scalar: boolean;
  readonly emptyValue: { readonly value: unknown } | undefined;
  readonly fields: OptionTypeFields;

  constructor(fields: OptionTypeFields, merge: OptionType<R, W>["merge"]) {
    this.name = fields.name;
    this.descriptionClass = fields.descriptionClass;
    this.check = fields.check ?? anyValue;
    this.merge = fields.merge ?? merge;
    this.scalar = fields.scalar ?? false;
    this.emptyValue = fields.emptyValue;
    this.fields = fields;
    if (new.target === OptionType) Object.freeze(this);
  }

  /** What documentation and messages call the type. */
  get description(): string {
    const { description } = this.fields;
    return typeof description === "function" ? description() : (description ?? this.name);
  }
}

function anyValue(): boolean {
  return true;
}

/** Any option type. */
export type AnyOptionType = OptionType<unknown, unknown>;

/** Whether a value is an option type. */
export function isOptionType(value: unknown): value is AnyOptionType {
  return value instanceof OptionType;
}

/**
 * A description for use inside another: bare when its class is allowed there,
 * else in parentheses.
 */
export function embedDescription(type: AnyOptionType, allowed: readonly DescriptionClass[]): string {
  return type.descriptionClass !== undefined && allowed.includes(type.descriptionClass)
    ? type.description
    : `(${type.description})`;
}

/** The type both declarations of an option agree on, or undefined. */
export function mergeOptionTypes(a: AnyOptionType, b: AnyOptionType): AnyOptionType | undefined {
  if (a === b) return a;
  const left = a.fields.functor;
  const right = b.fields.functor;
  if (left === undefined || right === undefined || left.name !== right.name) return undefined;
  return left.merge(right.payload);
}
