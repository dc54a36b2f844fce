/**
 * Lazy records: what `config` and every attrsOf value read as. They look like
 * plain frozen objects; a key is computed when it is read, and reading a name
 * that no option has is an error with suggestions instead of `undefined`.
 */
import { EvaluationError } from "./errors.ts";
import type { Location } from "./location.ts";

const sourceKey: unique symbol = Symbol("record source");

/** What stands behind a lazy record. */
export abstract class RecordSource {
  private view: object | undefined = undefined;

  /** Where the record stands. */
  abstract get location(): Location | undefined;
  /** All keys, by code unit. */
  abstract keyList(): readonly string[];
  /** Whether the record has a key; computes no value. */
  abstract hasKey(key: string): boolean;
  /** The value of a key that exists. */
  abstract readKey(key: string): unknown;
  /** What reading an absent key gives; may throw. */
  abstract missingKey(key: string): unknown;

  /** The record as its readers see it. */
  get record(): object {
    return (this.view ??= new Proxy(this, handler));
  }

  /** Plain data for `console.log`, which calls this on the lazy record. */
  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    const source = recordSourceOf(this) ?? this;
    return Object.fromEntries(source.keyList().map((key) => [key, inspectable(source, key)]));
  }
}

function inspectable(source: RecordSource, key: string): unknown {
  try {
    return source.readKey(key);
  } catch (error) {
    return error;
  }
}

/** The source of a lazy record, or undefined for any other value. */
export function recordSourceOf(value: unknown): RecordSource | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const source: unknown = (value as { [sourceKey]?: unknown })[sourceKey];
  return source instanceof RecordSource ? source : undefined;
}

/** A plain object in the role of a lazy record. */
class PlainRecord extends RecordSource {
  readonly location: Location | undefined = undefined;
  private readonly plain: Readonly<Record<string, unknown>>;
  constructor(plain: Readonly<Record<string, unknown>>) {
    super();
    this.plain = plain;
  }
  keyList(): readonly string[] {
    return Object.keys(this.plain).sort(byCodeUnit);
  }
  hasKey(key: string): boolean {
    return Object.hasOwn(this.plain, key);
  }
  readKey(key: string): unknown {
    return this.plain[key];
  }
  missingKey(): undefined {
    return undefined;
  }
}

/** The source of a record, lazy or plain; undefined for anything else. */
export function asRecordSource(value: unknown): RecordSource | undefined {
  return recordSourceOf(value) ?? (isRecord(value) ? new PlainRecord(value) : undefined);
}

function frozen(target: RecordSource): never {
  throw new EvaluationError({ reason: "frozen", location: target.location });
}

const handler: ProxyHandler<RecordSource> = {
  get(target, key) {
    if (typeof key === "symbol") {
      return key === sourceKey ? target : Reflect.get(Object.prototype, key);
    }
    if (target.hasKey(key)) return target.readKey(key);
    // Names that JavaScript itself and its libraries probe for on any object.
    if (key in Object.prototype) return Reflect.get(Object.prototype, key);
    if (key === "toJSON" || key === "then" || key === "asymmetricMatch" || key === "$$typeof") return undefined;
    return target.missingKey(key);
  },
  has(target, key) {
    return typeof key === "string" && target.hasKey(key);
  },
  ownKeys(target) {
    return [...target.keyList()];
  },
  getOwnPropertyDescriptor(target, key) {
    if (typeof key !== "string" || !target.hasKey(key)) return undefined;
    return { get: () => target.readKey(key), enumerable: true, configurable: true };
  },
  getPrototypeOf() {
    return Object.prototype;
  },
  set: frozen,
  defineProperty: frozen,
  deleteProperty: frozen,
  setPrototypeOf: frozen,
  preventExtensions: frozen,
};

/** Compares by UTF-16 code unit, the order of all keys and lists here. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sets a key on a plain object, `__proto__` included. */
export function setKey(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

/** Whether a value is a record: a plain object or a lazy record, not an array or class instance. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Freezes plain data all the way down; instances of classes are left alone. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) {
    for (const element of value) deepFreeze(element);
    return Object.freeze(value);
  }
  if (!isRecord(value) || recordSourceOf(value) !== undefined) return value;
  for (const key of Object.keys(value)) deepFreeze(value[key]);
  return Object.freeze(value);
}

/** Plain, fully computed data: lazy records become objects with sorted keys. */
export function toPlain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(toPlain);
  const source = recordSourceOf(value);
  if (source === undefined && !isRecord(value)) return value;
  const plain: Record<string, unknown> = {};
  if (source === undefined) {
    for (const key of Object.keys(value).sort(byCodeUnit)) setKey(plain, key, toPlain(Reflect.get(value, key)));
  } else {
    for (const key of source.keyList()) setKey(plain, key, toPlain(source.readKey(key)));
  }
  return plain;
}

/** Compact JSON with sorted keys, computing everything. */
export function toJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quoteJson(value);
    case "number":
    case "boolean":
      return String(value);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? listToJson(value) : recordToJson(value);
    default:
      return "null";
  }
}

const plainText = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/u;

/** Most strings need no escape, and finding that out is cheaper than asking for one. */
function quoteJson(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}

function listToJson(list: readonly unknown[]): string {
  let text = "[";
  for (let index = 0; index < list.length; index++)
    text += index === 0 ? toJson(list[index]) : `,${toJson(list[index])}`;
  return `${text}]`;
}

function recordToJson(value: object): string {
  const source = recordSourceOf(value);
  if (source === undefined && !isRecord(value)) return JSON.stringify(instanceAsJson(value));
  let text = "{";
  const keys = source?.keyList() ?? Object.keys(value).sort();
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    if (index > 0) text += ",";
    text += quoteJson(key);
    text += ":";
    text += toJson(source === undefined ? Reflect.get(value, key) : source.readKey(key));
  }
  return `${text}}`;
}

/** Derivations and the like print as what they stand for, their output path. */
function instanceAsJson(value: object): unknown {
  if (typeof Reflect.get(value, "toJSON") === "function") return value;
  return value.toString === Object.prototype.toString ? value : String(value);
}
