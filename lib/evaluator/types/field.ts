/** Types of this field: addresses, names, sizes, durations, versions, modes, secrets. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { Scalar } from "../definition.ts";
import type { Location } from "../location.ts";
import { mergeEqual, mkOptionType, simpleType } from "./make.ts";
import type { OptionType } from "./option-type.ts";

type TextType = OptionType<string, Scalar<string>>;

function text(
  name: string,
  description: string,
  problem: (value: string) => string | undefined,
  pattern?: string,
): TextType {
  return simpleType({
    name,
    description,
    check: (value) => typeof value === "string" && problem(value) === undefined,
    why: (value) => (typeof value === "string" ? problem(value) : undefined),
    schema: () => ({ type: "string", title: description, ...(pattern === undefined ? {} : { pattern }) }),
  });
}

function matching(name: string, description: string, pattern: RegExp, why: string): TextType {
  return text(name, description, (value) => (pattern.test(value) ? undefined : why), pattern.source);
}

function ipv4Problem(value: string): string | undefined {
  const parts = value.split(".");
  if (parts.length !== 4) return "an IPv4 address has four parts";
  const wrong = parts.find((part) => !/^(?:0|[1-9]\d{0,2})$/u.test(part) || Number(part) > 255);
  return wrong === undefined ? undefined : `"${wrong}" is no number from 0 to 255`;
}

function ipv6Problem(value: string): string | undefined {
  const [address = "", zone] = value.split("%");
  if (zone === "") return "the zone after % is empty";
  const halves = address.split("::");
  if (halves.length > 2) return "`::` may stand only once";
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1);
  const embedded = last?.includes(".") === true;
  if (embedded && ipv4Problem(last ?? "") !== undefined) return "the embedded IPv4 address is wrong";
  const count = groups.length + (embedded ? 1 : 0);
  const wrong = (embedded ? groups.slice(0, -1) : groups).find((group) => !/^[0-9a-fA-F]{1,4}$/u.test(group));
  if (wrong !== undefined) return `"${wrong}" is no group of hexadecimal digits`;
  if (halves.length === 1 && count !== 8) return "an IPv6 address has eight groups";
  if (halves.length === 2 && count > 7) return "`::` must stand for at least one group";
  return undefined;
}

function prefixProblem(value: string): string | undefined {
  const [address = "", length, ...rest] = value.split("/");
  if (length === undefined || rest.length > 0) return "a prefix is an address, a slash and a length";
  const isIpv6 = address.includes(":");
  const problem = isIpv6 ? ipv6Problem(address) : ipv4Problem(address);
  if (problem !== undefined) return problem;
  const maximum = isIpv6 ? 128 : 32;
  return /^(?:0|[1-9]\d{0,2})$/u.test(length) && Number(length) <= maximum
    ? undefined
    : `the length must be 0 to ${maximum}`;
}

/** "192.168.1.1" */
export const ipv4Address: TextType = text("ipv4Address", "IPv4 address", ipv4Problem);
/** "fe80::1" */
export const ipv6Address: TextType = text("ipv6Address", "IPv6 address", ipv6Problem);
/** An IPv4 or IPv6 address. */
export const ipAddress: TextType = text("ipAddress", "IP address", (value) =>
  value.includes(":") ? ipv6Problem(value) : ipv4Problem(value),
);
/** "10.0.0.0/8" */
export const ipPrefix: TextType = text("ipPrefix", "IP address with prefix length", prefixProblem);

/** "b8:27:eb:00:00:01" */
export const macAddress: TextType = matching(
  "macAddress",
  "MAC address",
  /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/u,
  "a MAC address is six pairs of hexadecimal digits with colons between",
);

/** One label as in RFC 1123, at most 63 characters; the empty name is allowed, as for NixOS. */
export const hostName: TextType = matching(
  "hostName",
  "host name",
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)?$/u,
  "a host name is letters, digits and inner hyphens, at most 63 of them, without dots",
);

/** Labels with dots between. */
export const domainName: TextType = matching(
  "domainName",
  "domain name",
  /^(?=.{1,253}$)[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?)*\.?$/u,
  "a domain name is labels of letters, digits and inner hyphens with dots between",
);

const unitSuffixes = "service|socket|device|mount|automount|swap|target|path|timer|slice|scope";

/** "sshd.service", "getty@tty1.service" */
export const systemdUnitName: TextType = matching(
  "systemdUnitName",
  "systemd unit name",
  new RegExp(`^[a-zA-Z0-9:_.\\\\-]+(?:@[a-zA-Z0-9:_.\\\\-]*)?\\.(?:${unitSuffixes})$`, "u"),
  `a unit name ends in one of .${unitSuffixes.replaceAll("|", ", .")}`,
);

/** "1h 30min", "500ms", "infinity": what systemd.time(7) calls a time span. */
export const duration: TextType = matching(
  "duration",
  "time span",
  /^(?:infinity|\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?\s*(?:usec|us|µs|msec|ms|seconds|second|sec|s|minutes|minute|min|months|month|M|m|hours|hour|hr|h|days|day|d|weeks|week|w|years|year|y)\s*)+)$/u,
  "a time span is numbers with units such as s, min, h, d",
);

/** "1.2.3-rc.1+build" */
export const semanticVersion: TextType = matching(
  "semanticVersion",
  "semantic version",
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/u,
  "a semantic version is MAJOR.MINOR.PATCH",
);

/** "1:2.36-9+deb12u4", as in deb-version(7). */
export const debianVersion: TextType = matching(
  "debianVersion",
  "Debian version",
  /^(?:\d+:)?\d[A-Za-z0-9.+~:-]*$/u,
  "a Debian version is [EPOCH:]UPSTREAM[-REVISION] and its upstream part begins with a digit",
);

/** Permission bits: "0644" in octal digits or a number. Reads as a number. */
export const fileMode: OptionType<number, Scalar<number | string>> = mkOptionType({
  name: "fileMode",
  description: "file mode",
  descriptionClass: "noun",
  check: (value) =>
    (typeof value === "string" && /^(?:0o)?[0-7]{3,5}$/u.test(value)) ||
    (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0o7777),
  why: (value) => (typeof value === "string" ? "a mode is three or four octal digits" : undefined),
  merge: (location, definitions) =>
    mergeConverted(location, definitions, (value) => Number.parseInt(value.replace(/^0o/u, ""), 8)),
  functor: { name: "fileMode", payload: undefined, merge: () => fileMode },
  schema: () => ({
    anyOf: [
      { type: "string", pattern: "^(?:0o)?[0-7]{3,5}$" },
      { type: "integer", minimum: 0, maximum: 0o7777 },
    ],
  }),
});

const sizePattern = /^(\d+)\s*(?:([KMGT])(i?B)?|(k|M|G|T)B|B)?$/u;
const powers: Readonly<Record<string, number>> = { k: 1, K: 1, M: 2, G: 3, T: 4 };

function bytes(value: string): number {
  const match = sizePattern.exec(value);
  if (match === null) return Number.NaN;
  const [, digits = "0", letter, suffix, decimal] = match;
  const isDecimal = decimal !== undefined || suffix === "B";
  const unit = letter ?? decimal;
  return Number(digits) * (unit === undefined ? 1 : (isDecimal ? 1000 : 1024) ** (powers[unit] ?? 0));
}

/** A number of bytes: 4096, "512M", "4GiB" (both powers of 1024), "8GB" (of 1000). Reads as a number. */
export const size: OptionType<number, Scalar<number | string>> = mkOptionType({
  name: "size",
  description: "size in bytes",
  descriptionClass: "noun",
  check: (value) =>
    (typeof value === "string" && Number.isSafeInteger(bytes(value))) ||
    (Number.isSafeInteger(value) && (value as number) >= 0),
  why: (value) =>
    typeof value === "string" ? "a size is a number with an optional unit K, M, G, T, KiB, MiB, GB …" : undefined,
  merge: (location, definitions) => mergeConverted(location, definitions, bytes),
  functor: { name: "size", payload: undefined, merge: () => size },
  schema: () => ({
    anyOf: [
      { type: "string", pattern: sizePattern.source },
      { type: "integer", minimum: 0 },
    ],
  }),
});

function mergeConverted(
  location: Location,
  definitions: readonly DefinitionRecord[],
  convert: (value: string) => number,
): unknown {
  return mergeEqual(
    location,
    definitions.map((each) => each.inside(typeof each.value === "string" ? convert(each.value) : each.value)),
  );
}

/**
 * A reference to something that must not be printed or stored. It holds where
 * the secret is, never the secret; putting it into a string is an error.
 */
export class Secret {
  readonly _type = "secret";
  readonly #from: { readonly file: string } | { readonly environment: string };
  constructor(from: { readonly file: string } | { readonly environment: string }) {
    this.#from = from;
    Object.freeze(this);
  }
  /** Where the secret is found on the machine that needs it. */
  get reference(): { readonly file: string } | { readonly environment: string } {
    return this.#from;
  }
  toString(): never {
    throw new TypeError("a secret cannot become part of a string; pass its reference to the program that needs it");
  }
  toJSON(): never {
    throw new TypeError("a secret cannot be serialised");
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "<secret>";
  }
}

function isSecretReference(value: unknown): boolean {
  if (value instanceof Secret) return true;
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value);
  const [key = ""] = keys;
  return keys.length === 1 && (key === "file" || key === "environment") && typeof Reflect.get(value, key) === "string";
}

type SecretReference = { readonly file: string } | { readonly environment: string };

/** A secret, by the file or environment variable that holds it where it is used. */
export const secret: OptionType<Secret, Scalar<Secret | SecretReference>> = mkOptionType({
  name: "secret",
  description: "secret",
  descriptionClass: "noun",
  check: isSecretReference,
  why: (value) =>
    typeof value === "string" ? "a secret is never written out; give { file } or { environment }" : undefined,
  merge: (location, definitions) => {
    const references = definitions.map((each) =>
      each.inside(each.value instanceof Secret ? each.value.reference : each.value),
    );
    return new Secret(mergeEqual(location, references) as SecretReference);
  },
  functor: { name: "secret", payload: undefined, merge: () => secret },
  schema: () => ({
    anyOf: ["file", "environment"].map((key) => ({
      type: "object",
      properties: { [key]: { type: "string" } },
      required: [key],
      additionalProperties: false,
    })),
  }),
});
