import * as Effect from "effect/Effect";
import { InvalidQuantity } from "../errors.ts";
import { ageOf, sizeOf } from "../quantity.ts";

/** "20G" → bytes; binary units. */
export const parseSize = (text: string): Effect.Effect<number, InvalidQuantity> =>
  orInvalid(text, sizeOf(text), "a size such as 500M or 20G");

/** "30d" → milliseconds. */
export const parseAge = (text: string): Effect.Effect<number, InvalidQuantity> =>
  orInvalid(text, ageOf(text), "an age such as 12h, 30d or 8w");

const orInvalid = (
  text: string,
  quantity: number | undefined,
  wanted: string,
): Effect.Effect<number, InvalidQuantity> =>
  quantity === undefined ? Effect.fail(new InvalidQuantity({ text, wanted })) : Effect.succeed(quantity);
