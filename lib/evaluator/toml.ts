/**
 * TOML 1.0 in one canonical form: keys by code unit, plain values before tables. The same data gives the same
 * text, and reading the text gives the same data.
 */
import { byCodeUnit } from "./records.ts";

/** What TOML can say. A `null` in a table is left out, since TOML has none. */
export type TomlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly TomlValue[]
  | { readonly [key: string]: TomlValue };

/** A table: what a whole document is. */
export interface TomlTable {
  readonly [key: string]: TomlValue;
}

/**
 * A document with the given content.
 *
 * @throws RangeError for a `null` in a list, an integer beyond 64 bits and a string that is no Unicode
 */
export function tomlDocument(table: TomlTable): string {
  const lines: string[] = [];
  writeTable(table, [], lines);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function writeTable(table: TomlTable, path: readonly string[], lines: string[]): void {
  const keys = Object.keys(table).sort(byCodeUnit);
  const nested: string[] = [];
  for (const key of keys) {
    const value = table[key];
    if (value === null || value === undefined) continue;
    if (isTable(value) || isTableList(value)) nested.push(key);
    else lines.push(`${keyText(key)} = ${inlineText(value, true)}`);
  }
  for (const key of nested) {
    const value = table[key];
    const inner = [...path, key];
    const name = inner.map(keyText).join(".");
    if (isTable(value)) {
      // A table that only holds others is there by their names.
      if (!onlyHoldsTables(value)) header(`[${name}]`, lines);
      writeTable(value, inner, lines);
    } else if (isTableList(value)) {
      for (const element of value) {
        header(`[[${name}]]`, lines);
        writeTable(element, inner, lines);
      }
    }
  }
}

function header(text: string, lines: string[]): void {
  if (lines.length > 0) lines.push("");
  lines.push(text);
}

function onlyHoldsTables(table: TomlTable): boolean {
  const values = Object.values(table).filter((value) => value !== null);
  return values.length > 0 && values.every((value) => isTable(value) || isTableList(value));
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTableList(value: TomlValue | undefined): value is readonly TomlTable[] {
  return Array.isArray(value) && value.length > 0 && value.every((element: TomlValue) => isTable(element));
}

/** @param several whether the text may have several lines, which it may not in an inline table */
function inlineText(value: TomlValue, several: boolean): string {
  switch (typeof value) {
    case "string":
      return several && value.includes("\n") ? multilineText(value) : quoted(value);
    case "boolean":
      return String(value);
    case "bigint":
      return integerText(value);
    case "number":
      return numberText(value);
    case "object":
      if (value === null) throw new RangeError("TOML has no null, and a list cannot leave one out");
      return isList(value) ? listText(value) : tableText(value);
  }
}

function isList(value: readonly TomlValue[] | TomlTable): value is readonly TomlValue[] {
  return Array.isArray(value);
}

function listText(list: readonly TomlValue[]): string {
  return `[${list.map((element) => inlineText(element, false)).join(", ")}]`;
}

function tableText(table: TomlTable): string {
  const entries = Object.keys(table)
    .sort(byCodeUnit)
    .flatMap((key) => {
      const value = table[key];
      return value === null || value === undefined ? [] : [`${keyText(key)} = ${inlineText(value, false)}`];
    });
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

const limit = 2n ** 63n;

function integerText(value: bigint): string {
  if (value >= -limit && value < limit) return String(value);
  throw new RangeError(`${value} is no integer of 64 bits, and TOML has no larger ones`);
}

/** Integers as such, as far as both sides agree on them; anything else as a float, which its text must show. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return Number.isSafeInteger(value) || /[.e]/.test(text) ? text : `${text}.0`;
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key);
}

const escapes: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

// oxlint-disable-next-line no-control-regex -- these are what a basic string must not hold
const special = /[\u0000-\u001f"\\\u007f]/g;
// oxlint-disable-next-line no-control-regex -- the same, but for line ends and single quotation marks
const specialInLines = /[\u0000-\u0009\u000b-\u001f\\\u007f]|"(?="|$)/g;

const escaped = (character: string): string =>
  escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

function quoted(text: string): string {
  return `"${requireUnicode(text).replace(special, escaped)}"`;
}

/** The line end after the opening quotation marks does not count. */
function multilineText(text: string): string {
  return `"""\n${requireUnicode(text).replace(specialInLines, escaped)}"""`;
}

function requireUnicode(text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text;
  throw new RangeError(`${JSON.stringify(text)} has half a character, which TOML cannot say`);
}
