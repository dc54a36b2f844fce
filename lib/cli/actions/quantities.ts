import * as Effect from "effect/Effect";
import { InvalidQuantity } from "../errors.ts";

const sizes: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const hour = 3_600_000;
const ages: Readonly<Record<string, number>> = { m: 60_000, h: hour, d: 24 * hour, w: 7 * 24 * hour };

/** "20G" → bytes; binary units. */
export const parseSize = (text: string): Effect.Effect<number, InvalidQuantity> =>
  parse(text, /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/, sizes, "a size such as 500M or 20G");

/** "30d" → milliseconds. */
export const parseAge = (text: string): Effect.Effect<number, InvalidQuantity> =>
  parse(text, /^(\d+(?:\.\d+)?)([mhdw])$/, ages, "an age such as 12h, 30d or 8w");

function parse(text: string, pattern: RegExp, units: Readonly<Record<string, number>>, wanted: string) {
  const [, number, unit] = pattern.exec(text) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  if (number === undefined || factor === undefined) return Effect.fail(new InvalidQuantity({ text, wanted }));
  return Effect.succeed(Math.round(Number(number) * factor));
}
