import { compareBytes } from "./byte-order.ts";
import { type AttributeValue, coerce } from "./coercion.ts";
import { DerivationAttributeError } from "./errors.ts";
import { digestSizes, type Hash, sha256Hex } from "./hash.ts";
import { type HashMode, nameProblem, outputPathName } from "./store-path.ts";
import { intern, makeToken, Tokened } from "./token.ts";

/** Content that is known in advance: the build may use the network. */
export interface FixedOutput {
  readonly mode: HashMode;
  readonly hash: Hash;
}

/** What a derivation is made of. All of it is hashed. */
export interface DerivationAttributes {
  readonly name: string;
  /** `/bin/bash` (in the sandbox's root), a store path, or `builtin:<name>`. */
  readonly builder: string;
  /** By default `builtin` for a built-in builder, else `x86_64-linux`. */
  readonly system?: "x86_64-linux" | "builtin";
  readonly args?: readonly AttributeValue[];
  /** Environment variables; `undefined` leaves one out, also one that would be set by default. */
  readonly env?: Readonly<Record<string, AttributeValue | undefined>>;
  /** By default only `out`. The first one is what the derivation itself stands for. */
  readonly outputs?: readonly string[];
  readonly fixedOutput?: FixedOutput;
  /** By what an output that is not fixed is addressed; by its content, unless an older format is needed. */
  readonly addressing?: "content" | "input";
}

class DerivationOutputValue extends Tokened {
  readonly _tag = "DerivationOutput";
  readonly derivation: Derivation;
  readonly name: string;

  constructor(derivation: Derivation, name: string, token: string) {
    super(token);
    this.derivation = derivation;
    this.name = name;
    Object.freeze(this);
  }
}

/** One output of a derivation. Made by `Derivation.output`. */
export type DerivationOutput = DerivationOutputValue;

class DerivationValue {
  readonly _tag = "Derivation";
  readonly name: string;
  readonly system: string;
  readonly builder: string;
  /** Coerced; may hold tokens. */
  readonly args: readonly string[];
  /** Coerced; may hold tokens. Without the output variables. */
  readonly env: ReadonlyMap<string, string>;
  /** As given: the first one is the default. */
  readonly outputs: readonly string[];
  readonly fixedOutput: FixedOutput | undefined;
  readonly addressing: "content" | "input";
  /** Identifies the content; the tokens of the outputs are derived from it. */
  readonly key: string;

  constructor(
    fields: Pick<
      DerivationValue,
      "name" | "system" | "builder" | "args" | "env" | "outputs" | "fixedOutput" | "addressing" | "key"
    >,
  ) {
    this.name = fields.name;
    this.system = fields.system;
    this.builder = fields.builder;
    this.args = Object.freeze(fields.args);
    this.env = fields.env;
    this.outputs = Object.freeze(fields.outputs);
    this.fixedOutput = fields.fixedOutput;
    this.addressing = fields.addressing;
    this.key = fields.key;
    Object.freeze(this);
  }

  /**
   * One of the outputs.
   *
   * @throws DerivationAttributeError if there is no such output
   */
  output(name: string): DerivationOutput {
    if (!this.outputs.includes(name)) {
      throw new DerivationAttributeError(
        this.name,
        "outputs",
        `there is no '${name}', only ${this.outputs.join(", ")}`,
      );
    }
    return derivationOutput(this, name);
  }

  /** The token of the first output. */
  toString(): string {
    return derivationOutput(this, this.outputs[0] ?? "out").token;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** A build step, before its inputs are hashed. Made by `derivation`. */
export type Derivation = DerivationValue;

const derivations = new Map<string, Derivation>();

function derivationOutput(derivation: Derivation, name: string): DerivationOutput {
  const token = makeToken(["output", derivation.key, name]);
  return intern(token, () => new DerivationOutputValue(derivation, name, token));
}

/** Whether a value is a derivation. */
export function isDerivation(value: unknown): value is Derivation {
  return typeof value === "object" && value !== null && "_tag" in value && value._tag === "Derivation";
}

/**
 * Describes a build step. Nothing is read, hashed from disk or built.
 *
 * In a string, the derivation stands for the path of its first output, and
 * `.output(name)` for that of another one. What a string mentions becomes
 * an input, so a dependency can be neither forgotten nor invented. Equal
 * attributes give the same object.
 *
 * @example
 * const hello = derivation({ name: "hello", builder: "/bin/bash", args: ["-c", "echo hello > $out"] });
 * const user = derivation({ name: "user", builder: "/bin/bash", args: ["-c", `cat ${hello} > $out`] });
 * @throws DerivationAttributeError
 */
export function derivation(attributes: DerivationAttributes): Derivation {
  const { name, builder, fixedOutput, addressing = "content" } = attributes;
  const system = attributes.system ?? (builder.startsWith("builtin:") ? "builtin" : "x86_64-linux");
  const outputs = attributes.outputs ?? ["out"];
  checkName(name, outputs);
  if (builder === "") throw new DerivationAttributeError(name, "builder", "is empty");
  if (fixedOutput !== undefined) checkFixedOutput(name, outputs, fixedOutput);

  const args = (attributes.args ?? []).map((value, index) => coerce(name, `args[${index}]`, value));
  const env = environment(attributes, system, outputs);
  const fixed = fixedOutput === undefined ? null : [fixedOutput.mode, fixedOutput.hash.algorithm, fixedOutput.hash.hex];
  const key = sha256Hex(
    JSON.stringify(["derivation", name, system, builder, args, [...env], outputs, fixed, addressing]),
  );
  const known = derivations.get(key);
  if (known !== undefined) return known;
  const value = new DerivationValue({
    name,
    system,
    builder,
    args,
    env,
    outputs: [...outputs],
    fixedOutput,
    addressing,
    key,
  });
  derivations.set(key, value);
  return value;
}

/** The coerced variables, sorted by the bytes of their names. */
function environment(
  attributes: DerivationAttributes,
  system: string,
  outputs: readonly string[],
): ReadonlyMap<string, string> {
  const { name, builder, fixedOutput } = attributes;
  const values: Record<string, AttributeValue | undefined> = Object.assign(Object.create(null), {
    name,
    builder,
    system,
    ...(attributes.outputs !== undefined && { outputs: attributes.outputs }),
    ...(fixedOutput !== undefined && {
      outputHash: fixedOutput.hash.hex,
      outputHashAlgo: fixedOutput.hash.algorithm,
      outputHashMode: fixedOutput.mode,
    }),
    ...attributes.env,
  });
  const env = new Map<string, string>();
  for (const variable of Object.keys(values).sort(compareBytes)) {
    const value = values[variable];
    if (value === undefined) continue;
    if (outputs.includes(variable)) {
      throw new DerivationAttributeError(
        name,
        `env.${variable}`,
        "is the variable of an output, which is set to its path",
      );
    }
    if (variable === "" || /[=\0]/.test(variable)) {
      throw new DerivationAttributeError(name, `env.${variable}`, "cannot be the name of an environment variable");
    }
    env.set(variable, coerce(name, `env.${variable}`, value));
  }
  return env;
}

function checkName(name: string, outputs: readonly string[]): void {
  const fail = (attribute: string, problem: string): never => {
    throw new DerivationAttributeError(name, attribute, problem);
  };
  const problem = nameProblem(`${name}.drv`) ?? nameProblem(name);
  if (problem !== undefined) fail("name", problem);
  if (name.endsWith(".drv")) fail("name", "ends in .drv, which is kept for the derivations themselves");
  if (outputs.length === 0) fail("outputs", "is empty");
  for (const [index, output] of outputs.entries()) {
    const outputProblem = nameProblem(output) ?? nameProblem(outputPathName(name, output));
    if (outputProblem !== undefined) fail(`outputs[${index}]`, `'${output}' ${outputProblem}`);
    if (outputs.indexOf(output) !== index) fail(`outputs[${index}]`, `'${output}' is there twice`);
    // `drv` would make the output's path look like a derivation's.
    if (output === "drv") fail(`outputs[${index}]`, "'drv' cannot name an output");
  }
}

function checkFixedOutput(name: string, outputs: readonly string[], { hash }: FixedOutput): void {
  if (outputs.length !== 1 || outputs[0] !== "out") {
    throw new DerivationAttributeError(name, "outputs", "a fixed output is the only one, and is called 'out'");
  }
  if (hash.hex.length !== digestSizes[hash.algorithm] * 2 || !/^[0-9a-f]*$/.test(hash.hex)) {
    throw new DerivationAttributeError(
      name,
      "fixedOutput.hash",
      `'${hash.hex}' is not a ${hash.algorithm} in hexadecimal`,
    );
  }
}
