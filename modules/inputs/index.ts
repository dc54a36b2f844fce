import { defineModule, mkOption, type Module, types } from "#lib/evaluator/index.ts";
import type { GivenInputs } from "#lib/flake/given-inputs.ts";
import { tolerable } from "../legacy.ts";
import { repeated } from "../repeated.ts";
import { type InputValue, resolveInputs, variableName } from "./resolve.ts";

const primitive = types.oneOf([types.bool, types.int, types.float, types.str]);

const inputOptions = {
  description: mkOption({
    type: types.nullOr(types.str),
    default: null,
    example: "Where updates come from",
    description: "What the input chooses, for people.",
  }),
  type: mkOption({
    type: types.nullOr(types.enum(["string", "bool", "int", "float"])),
    default: null,
    description: "How a value is read; by default as its default, its value or its first choice is.",
  }),
  default: mkOption({
    type: types.nullOr(primitive),
    default: null,
    example: "stable",
    description: "Value when nothing else gives one.",
  }),
  choices: mkOption({
    type: types.listOf(primitive),
    default: [],
    example: ["stable", "edge"],
    description: "The values that are allowed; none listed: any.",
  }),
  env: mkOption({
    type: types.nullOr(types.strMatching("[A-Za-z_][A-Za-z0-9_]*")),
    default: null,
    example: "HELIOS_CHANNEL",
    description: "Environment variable of the command line that gives a value.",
  }),
  required: mkOption({
    type: types.bool,
    default: false,
    description: "Whether it is an error that nothing gives a value.",
  }),
};

const options = {
  inputs: {
    options: mkOption({
      type: types.attrsOf(types.submodule({ options: inputOptions })),
      default: {},
      example: { channel: { choices: ["stable", "edge"], default: "stable" } },
      description: "What can be chosen from outside, by `--set KEY=VALUE`. Builds see each as GAIA_INPUT_KEY.",
    }),
    values: mkOption({
      type: types.attrsOf(primitive),
      default: {},
      example: { channel: "edge" },
      description: "Values of inputs, which the command line and the environment win over.",
    }),
    set: mkOption({
      type: types.attrsOf(types.str),
      default: {},
      internal: true,
      description: "Values from the command line.",
    }),
    environment: mkOption({
      type: types.attrsOf(types.str),
      default: {},
      internal: true,
      description: "Environment variables of the command line.",
    }),
    problems: mkOption({
      type: types.listOf(types.str),
      readOnly: true,
      internal: true,
      description: "What is wrong with the values that were given.",
    }),
    resolved: mkOption({
      type: types.attrsOf(primitive),
      readOnly: true,
      internal: true,
      description: "The value of each input that has one.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    inputs: typeof options;
  }
}

/**
 * What a command line gives to the inputs of a system: `--set` as text, and the
 * environment, of which only variables are read that `inputs.options.*.env` names.
 */
export function inputsFrom(given: Partial<GivenInputs>): Module {
  const { set = {}, environment = {} } = given;
  return defineModule({
    name: "the command line",
    config: {
      inputs: {
        set: { ...set },
        // No other variable becomes part of the configuration, which may be printed.
        environment: (config) =>
          Object.fromEntries(
            Object.values(config.inputs.options).flatMap(({ env }) => {
              const value = env === null ? undefined : environment[env];
              return env === null || value === undefined ? [] : [[env, value]];
            }),
          ),
      },
    },
  });
}

/** Two inputs that builds would see as one variable. */
const sharedVariables = tolerable(({ inputs: { options: declared } }) =>
  repeated(Object.keys(declared).map(variableName)).map(
    (name) =>
      `inputs.options: ${Object.keys(declared)
        .filter((key) => variableName(key) === name)
        .join(" and ")} would both be the variable ${name}. Rename one.`,
  ),
);

/** Choices from outside. */
export default defineModule({
  name: "inputs",
  options,
  config: {
    inputs: {
      resolved: (config): Record<string, InputValue> => ({ ...resolveInputs(config.inputs).values }),
      problems: (config) => [...resolveInputs(config.inputs).problems],
    },
    assertions: (config) => [
      ...config.inputs.problems.map((message) => ({ assertion: false, message })),
      ...sharedVariables.assertions(config),
    ],
    warnings: sharedVariables.warnings,
  },
});
