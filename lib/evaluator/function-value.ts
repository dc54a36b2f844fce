/** Functions as values. A bare function in a definition is a thunk. */

/** Marks a function as a value. */
export class FunctionValue<F> {
  readonly _type = "function";
  readonly call: F;
  constructor(call: F) {
    this.call = call;
  }
}

/** Wraps a function that is itself the value of an option. */
export function mkFunction<F extends (...parameters: never[]) => unknown>(call: F): FunctionValue<F> {
  return new FunctionValue(call);
}
