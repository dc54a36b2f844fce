/** Defined values as text: the same values give the same text. */
import type { DefinedValues } from "./defined-values.ts";
import { showOption } from "./location.ts";
import { byCodeUnit, isRecord, toPlain } from "./records.ts";
import { tomlDocument, type TomlTable } from "./toml.ts";

/**
 * As TOML, a data module. What cannot be said in it is named in a comment at the top.
 *
 * @throws RangeError for values that TOML cannot say and that cannot be left out either
 */
export function definedToml({ values, omitted }: DefinedValues): string {
  // Values are data by now: other things were turned into text or left out.
  const table = withoutNulls(values) as TomlTable;
  const left = [...omitted, ...nulls(values, [])].sort(byCodeUnit);
  const note = left.length === 0 ? "" : `# Left out, since a data file cannot say it: ${left.join(", ")}\n\n`;
  return note + tomlDocument(table);
}

/** As indented JSON with keys by code unit, a data module too. */
export function definedJson({ values }: DefinedValues): string {
  return `${JSON.stringify(toPlain(values), undefined, 2)}\n`;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => each !== null).map(withoutNulls);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutNulls(each)]));
}

function nulls(value: unknown, path: readonly string[]): string[] {
  if (value === null) return [showOption(path)];
  if (Array.isArray(value)) return value.flatMap((each, index) => nulls(each, [...path, String(index)]));
  return isRecord(value) ? Object.entries(value).flatMap(([key, each]) => nulls(each, [...path, key])) : [];
}
