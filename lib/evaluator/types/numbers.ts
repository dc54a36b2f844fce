/** Numbers within bounds. Two declarations of one option keep both bounds. */
import type { Scalar } from "../definition.ts";
import { simpleType } from "./make.ts";
import type { OptionType } from "./option-type.ts";

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly integer: boolean;
  /** Whether `low` itself is excluded. */
  readonly open: boolean;
}

type NumberType = OptionType<number, Scalar<number>>;

function bounded(name: string, description: string, bounds: Bounds, nonRestrictive = false): NumberType {
  const { low, high, integer, open } = bounds;
  const inRange = (value: number) => (open ? value > low : value >= low) && value <= high;
  const type: NumberType = simpleType({
    name,
    description,
    descriptionClass: nonRestrictive ? "nonRestrictiveClause" : "noun",
    check: (value) =>
      typeof value === "number" && (integer ? Number.isSafeInteger(value) : Number.isFinite(value)) && inRange(value),
    why: (value) => {
      if (typeof value !== "number") return undefined;
      if (integer && !Number.isSafeInteger(value)) return `${value} is no integer`;
      return value > high
        ? `${value} is above ${high}`
        : `${value} is ${open && value === low ? "not above" : "below"} ${low}`;
    },
    functor: {
      name: integer ? "bounded integer" : "bounded number",
      payload: bounds,
      merge: (other) => {
        const both = intersect(bounds, other as Bounds);
        if (both.low === low && both.high === high && both.open === open) return type;
        return between(both);
      },
    },
    schema: () => ({
      type: integer ? "integer" : "number",
      ...(Number.isFinite(low) ? (open ? { exclusiveMinimum: low } : { minimum: low }) : {}),
      ...(Number.isFinite(high) ? { maximum: high } : {}),
    }),
  });
  return type;
}

function intersect(a: Bounds, b: Bounds): Bounds {
  const low = Math.max(a.low, b.low);
  return {
    low,
    high: Math.min(a.high, b.high),
    integer: a.integer || b.integer,
    open: (a.low === low && a.open) || (b.low === low && b.open),
  };
}

function between(bounds: Bounds): NumberType {
  const kind = bounds.integer ? "integer" : "integer or floating point number";
  return bounded(
    bounds.integer ? "intBetween" : "numberBetween",
    `${kind} between ${bounds.low} and ${bounds.high} (both inclusive)`,
    bounds,
  );
}

function signed(bits: number): NumberType {
  const high = 2 ** (bits - 1) - 1;
  const low = -(2 ** (bits - 1));
  return bounded(`signedInt${bits}`, `${bits} bit signed integer; between ${low} and ${high} (both inclusive)`, {
    low,
    high,
    integer: true,
    open: false,
  });
}

function unsignedBits(bits: number): NumberType {
  const high = 2 ** bits - 1;
  return bounded(`unsignedInt${bits}`, `${bits} bit unsigned integer; between 0 and ${high} (both inclusive)`, {
    low: 0,
    high,
    integer: true,
    open: false,
  });
}

/** Whole numbers within bounds. */
export const ints: {
  readonly between: (low: number, high: number) => NumberType;
  readonly unsigned: NumberType;
  readonly positive: NumberType;
  readonly u8: NumberType;
  readonly u16: NumberType;
  readonly u32: NumberType;
  readonly s8: NumberType;
  readonly s16: NumberType;
  readonly s32: NumberType;
} = {
  between: (low, high) => {
    if (low > high) throw new RangeError(`ints.between: ${low} is above ${high}`);
    return between({ low, high, integer: true, open: false });
  },
  unsigned: bounded(
    "unsignedInt",
    "unsigned integer, meaning >=0",
    { low: 0, high: Infinity, integer: true, open: false },
    true,
  ),
  positive: bounded(
    "positiveInt",
    "positive integer, meaning >0",
    { low: 0, high: Infinity, integer: true, open: true },
    true,
  ),
  u8: unsignedBits(8),
  u16: unsignedBits(16),
  u32: unsignedBits(32),
  s8: signed(8),
  s16: signed(16),
  s32: signed(32),
};

/** A TCP or UDP port. */
export const port: NumberType = ints.u16;

/** Numbers within bounds. */
export const numbers: {
  readonly between: (low: number, high: number) => NumberType;
  readonly nonnegative: NumberType;
  readonly positive: NumberType;
} = {
  between: (low, high) => {
    if (low > high) throw new RangeError(`numbers.between: ${low} is above ${high}`);
    return between({ low, high, integer: false, open: false });
  },
  nonnegative: bounded(
    "numberNonnegative",
    "nonnegative integer or floating point number, meaning >=0",
    { low: 0, high: Infinity, integer: false, open: false },
    true,
  ),
  positive: bounded(
    "numberPositive",
    "positive integer or floating point number, meaning >0",
    { low: 0, high: Infinity, integer: false, open: true },
    true,
  ),
};
