/** What the values of inputs are, where they come from, and conditions on them. */

/** A value of an input. */
export type InputValue = string | number | boolean;

/** The types that an input can have. */
export type InputType = "string" | "bool" | "int" | "float";

/** One entry of `inputs.options`. */
export interface InputOption {
  readonly type: InputType | null;
  readonly default: InputValue | null;
  readonly choices: readonly InputValue[];
  readonly env: string | null;
  readonly required: boolean;
}

/** The `inputs` of a configuration, as declared and given. */
export interface Inputs {
  readonly options: Readonly<Record<string, InputOption>>;
  readonly values: Readonly<Record<string, InputValue>>;
  /** From the command line, as text. */
  readonly set: Readonly<Record<string, string>>;
  /** Environment variables that may be read. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Values by input, and what is wrong. */
export interface ResolvedInputs {
  readonly values: Readonly<Record<string, InputValue>>;
  readonly problems: readonly string[];
}

/** For each declared input: command line, else environment, else `inputs.values`, else its default. */
export function resolveInputs(inputs: Inputs): ResolvedInputs {
  const values: Record<string, InputValue> = {};
  const problems: string[] = [];
  for (const key of Object.keys(inputs.options).sort()) {
    const option = inputs.options[key];
    if (option === undefined) continue;
    const [given, from] = givenValue(key, option, inputs);
    if (given === null) {
      if (option.required)
        problems.push(
          `inputs.options.${key}: is required, and nothing gives it a value. Use --set ${key}=…${option.env === null ? "" : `, the environment variable ${option.env}`} or inputs.values.${key}.`,
        );
      continue;
    }
    const value = parseAs(inputType(key, option, inputs), given);
    if (value === undefined) {
      problems.push(
        `inputs.options.${key}: ${JSON.stringify(given)} from ${from} is no ${inputType(key, option, inputs)}.`,
      );
    } else if (option.choices.length > 0 && !option.choices.includes(value)) {
      problems.push(
        `inputs.options.${key}: ${JSON.stringify(value)} from ${from} is none of its choices: ${option.choices.map((choice) => JSON.stringify(choice)).join(", ")}.`,
      );
    } else {
      values[key] = value;
    }
  }
  for (const [where, given] of [
    ["inputs.values", inputs.values],
    ["--set", inputs.set],
  ] as const) {
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(inputs.options, key))
        problems.push(
          `${where}: there is no input '${key}'. Declared: ${Object.keys(inputs.options).join(", ") || "none"}.`,
        );
    }
  }
  return { values, problems };
}

function givenValue(key: string, option: InputOption, inputs: Inputs): readonly [InputValue | null, string] {
  const set = inputs.set[key];
  if (set !== undefined) return [set, "--set"];
  const variable = option.env === null ? undefined : inputs.environment[option.env];
  if (variable !== undefined) return [variable, `the environment variable ${option.env ?? ""}`];
  const value = inputs.values[key];
  if (value !== undefined) return [value, "inputs.values"];
  return [option.default, "its default"];
}

/** The declared type, else that of the default, the value or the first choice. */
function inputType(key: string, option: InputOption, inputs: Inputs): InputType {
  if (option.type !== null) return option.type;
  const example = option.default ?? inputs.values[key] ?? option.choices[0] ?? "";
  if (typeof example === "boolean") return "bool";
  if (typeof example === "number") return Number.isInteger(example) ? "int" : "float";
  return "string";
}

/** A value read as a type; undefined when it is none of that type. */
export function parseAs(type: InputType, value: InputValue): InputValue | undefined {
  if (type === "string") return String(value);
  if (type === "bool") {
    const word = String(value).toLowerCase();
    if (["1", "true", "yes", "on"].includes(word)) return true;
    return ["0", "false", "no", "off"].includes(word) ? false : undefined;
  }
  const text = String(value).trim();
  if (typeof value === "boolean" || !/^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$/.test(text))
    return undefined;
  const number = Number(text);
  return type === "float" || Number.isSafeInteger(number) ? number : undefined;
}

/** The variables `GAIA_INPUT_<KEY>` that builds and checks see. */
export function inputVariables(values: Readonly<Record<string, InputValue>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [variableName(key), String(value)]));
}

/** `board-rev` → `GAIA_INPUT_BOARD_REV` */
export function variableName(key: string): string {
  return `GAIA_INPUT_${key.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}

/** `key`, `!key`, `key=value`, `key!=value` */
export interface Condition {
  readonly key: string;
  readonly operator: "truthy" | "falsy" | "equal" | "different";
  readonly value: string;
}

/** Reads a condition; undefined when it is none. */
export function parseCondition(text: string): Condition | undefined {
  const match = /^\s*(?:(!)\s*([^\s!=]+)|([^\s!=]+)\s*(?:(!?=)\s*(.*))?)\s*$/s.exec(text);
  if (match === null) return undefined;
  const [, not, negated, key, operator, value = ""] = match;
  if (not !== undefined) return { key: negated ?? "", operator: "falsy", value: "" };
  if (operator === undefined) return { key: key ?? "", operator: "truthy", value: "" };
  return { key: key ?? "", operator: operator === "=" ? "equal" : "different", value: value.trim() };
}

/** Whether a condition holds; what has no value is not truthy, equals nothing, and, as in Gaia, differs from nothing. */
export function holds(condition: Condition, values: Readonly<Record<string, InputValue>>): boolean {
  const actual = values[condition.key];
  switch (condition.operator) {
    case "truthy":
      return isTruthy(actual);
    case "falsy":
      return !isTruthy(actual);
    case "equal":
      return equals(actual, condition.value);
    case "different":
      return actual !== undefined && !equals(actual, condition.value);
  }
}

function isTruthy(value: InputValue | undefined): boolean {
  if (value === undefined) return false;
  if (typeof value === "string") return value !== "" && !["0", "false", "no", "off"].includes(value.toLowerCase());
  return value !== false && value !== 0;
}

function equals(actual: InputValue | undefined, text: string): boolean {
  if (actual === undefined) return false;
  const type = typeof actual === "boolean" ? "bool" : typeof actual === "number" ? "float" : "string";
  return parseAs(type, text) === actual;
}

/** What can be switched on and off by inputs. */
export interface Conditional {
  readonly enabled_if: readonly string[];
  readonly disabled_if: readonly string[];
}

/** All of `enabled_if` hold, and none of `disabled_if`. */
export function isSelected(item: Conditional, values: Readonly<Record<string, InputValue>>): boolean {
  const all = (conditions: readonly string[]) =>
    conditions.flatMap((text) => {
      const condition = parseCondition(text);
      return condition === undefined ? [] : [holds(condition, values)];
    });
  return all(item.enabled_if).every(Boolean) && !all(item.disabled_if).some(Boolean);
}

/** What is wrong with conditions: their form, or an input that does not exist. */
export function conditionProblems(item: Conditional, options: Readonly<Record<string, unknown>>): string[] {
  return [...item.enabled_if, ...item.disabled_if].flatMap((text) => {
    const condition = parseCondition(text);
    if (condition === undefined)
      return [`the condition '${text}' is none of 'key', '!key', 'key=value', 'key!=value'.`];
    if (Object.hasOwn(options, condition.key)) return [];
    return [
      `the condition '${text}' is about the input '${condition.key}', which inputs.options does not have. It has: ${Object.keys(options).join(", ") || "none"}.`,
    ];
  });
}
