/**
 * Properties: conditions, priorities, order. Every one may stand around any
 * other, around a leaf, a record, a list element or a whole module.
 */
import type { Condition, Definition, Property, Scope } from "./definition.ts";

/** Priority of a definition without `mkOverride`. */
export const defaultPriority = 100;
/** Priority of an option's own default. */
export const optionDefaultPriority = 1500;
/** Order of a definition without `mkOrder`. */
export const defaultOrder = 1000;

/**
 * The run-time form of every property: one class, so that recognising one is a
 * single check and user data with a `_type` key stays data.
 */
export class PropertyRecord {
  readonly _type: "if" | "merge" | "override" | "order" | "definition";
  /** What stands inside; for "merge" an array. */
  readonly content: unknown;
  /** The condition of "if", the number of "override" and "order", the file of "definition". */
  readonly parameter: unknown;
  constructor(type: PropertyRecord["_type"], content: unknown, parameter: unknown) {
    this._type = type;
    this.content = content;
    this.parameter = parameter;
  }
}

/** Whether a value is a property rather than data. */
export function isProperty(value: unknown): value is PropertyRecord {
  // Most values are strings, numbers and switches, for which asking about a class costs more than this.
  return typeof value === "object" && value !== null && value instanceof PropertyRecord;
}

/** The class as the type checker sees it: the phantom type exists for it only. */
const TypedProperty = PropertyRecord as unknown as new <W, S extends Scope>(
  type: PropertyRecord["_type"],
  content: unknown,
  parameter?: unknown,
) => Property<W, S>;

/** The definition counts only while the condition holds. The condition may read all of `config`. */
export function mkIf<W, S extends Scope>(
  condition: Condition<NoInfer<S>>,
  content: NoInfer<Definition<W, S>>,
): Property<W, S> {
  return new TypedProperty("if", content, condition);
}

/** Several definitions where one is expected; they keep their order. */
export function mkMerge<W, S extends Scope>(contents: readonly NoInfer<Definition<W, S>>[]): Property<W, S> {
  return new TypedProperty("merge", contents);
}

/** A definition with priority `priority`: the lowest number wins, equal numbers merge. */
export function mkOverride<W, S extends Scope>(priority: number, content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("override", content, priority);
}

/** Priority 1500, that of an option's own default. */
export function mkOptionDefault<W, S extends Scope>(content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("override", content, optionDefaultPriority);
}

/** Priority 1000: a default that any plain definition replaces. */
export function mkDefault<W, S extends Scope>(content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("override", content, 1000);
}

/** Priority 60, for the module that makes an image. */
export function mkImageMediaOverride<W, S extends Scope>(content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("override", content, 60);
}

/** Priority 50: replaces all plain definitions. */
export function mkForce<W, S extends Scope>(content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("override", content, 50);
}

/** Priority 10, for the module that makes a virtual machine. */
export function mkVMOverride<W, S extends Scope>(content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("override", content, 10);
}

/** A place in the merge order of lists and concatenated strings; lower comes first, 1000 is unmarked. */
export function mkOrder<W, S extends Scope>(priority: number, content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("order", content, priority);
}

/** Order 500: before unmarked definitions. */
export function mkBefore<W, S extends Scope>(content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("order", content, 500);
}

/** Order 1500: after unmarked definitions. */
export function mkAfter<W, S extends Scope>(content: NoInfer<Definition<W, S>>): Property<W, S> {
  return new TypedProperty("order", content, 1500);
}

/** A definition that is reported as coming from `file`, for generated definitions. */
export function mkDefinition<W, S extends Scope>(definition: {
  readonly file: string;
  readonly value: NoInfer<Definition<W, S>>;
}): Property<W, S> {
  return new TypedProperty("definition", definition.value, definition.file);
}
