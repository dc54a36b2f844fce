import { InvalidLayer } from "#lib/archives/errors.ts";

type Environment = Readonly<Record<string, string>>;

/** A switch, as derivations say it: "1" is yes, and empty is no. */
export function flag(env: Environment, name: string, fallback: boolean): boolean {
  const value = env[name];
  return value === undefined ? fallback : value !== "";
}

/** A list of words separated by blanks, which is how lists reach a builder. */
export function words(env: Environment, name: string): readonly string[] {
  return (env[name] ?? "").split(/\s+/).filter((word) => word !== "");
}

/** A number of things, bytes or seconds. */
export function wholeNumber(env: Environment, name: string, fallback: number): number {
  const value = env[name];
  if (value === undefined || value === "") return fallback;
  if (!/^[0-9]{1,15}$/.test(value)) {
    throw new InvalidLayer({ layer: name, reason: `'${value}' is not a whole number` });
  }
  return Number(value);
}

/** JSON; an error names the variable. */
export function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidLayer({ layer: name, reason: `not JSON: ${cause instanceof Error ? cause.message : ""}` });
  }
}
