const sizes: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const hour = 3_600_000;
const ages: Readonly<Record<string, number>> = { m: 60_000, h: hour, d: 24 * hour, w: 7 * 24 * hour };

/** "20G" → bytes, in binary units; undefined for anything else. */
export const sizeOf = (text: string): number | undefined => quantity(text, /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/, sizes);

/** "30d" → milliseconds; undefined for anything else. */
export const ageOf = (text: string): number | undefined => quantity(text, /^(\d+(?:\.\d+)?)([mhdw])$/, ages);

function quantity(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = pattern.exec(text) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  return number === undefined || factor === undefined ? undefined : Math.round(Number(number) * factor);
}
