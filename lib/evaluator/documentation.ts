/** Reference documentation made from declarations. */
import type { Documentation } from "./documentation-text.ts";
import { evaluationOf } from "./evaluate.ts";
import { type Location, locationOf, type OptionPath, showOption } from "./location.ts";
import type { OptionFields } from "./option.ts";
import { locate, showPlace } from "./places.ts";
import { byCodeUnit } from "./records.ts";
import type { Declaration, ShapeNode } from "./shape.ts";
import { showWholeValue } from "./show-value.ts";

/** One documented option. */
export interface OptionDocumentation {
  readonly name: string;
  readonly loc: OptionPath;
  readonly description: string | undefined;
  readonly type: string;
  /** As code. */
  readonly default: string | undefined;
  /** As code. */
  readonly example: string | undefined;
  /** "modules/users.ts:12:5" */
  readonly declarations: readonly string[];
  readonly readOnly: boolean;
  readonly internal: boolean;
  readonly visible: boolean;
  readonly relatedPackages: readonly string[];
}

/** All options of an evaluation, inner ones of submodules included, by name. */
export function documentOptions(evaluated: object): readonly OptionDocumentation[] {
  const found: OptionDocumentation[] = [];
  collect(evaluationOf(evaluated).root.shape, [], found);
  return found.sort((a, b) => byCodeUnit(a.name, b.name));
}

function collect(shape: ShapeNode, prefix: OptionPath, found: OptionDocumentation[]): void {
  for (const key of shape.keys) {
    const child = shape.child(key);
    // The options of the evaluator itself are documented with it, not with every submodule.
    if (child === undefined || key === "_module") continue;
    const path = [...prefix, key];
    if (child.isOption) documentOption(child, path, found);
    else collect(child, path, found);
  }
}

function documentOption(node: ShapeNode, path: OptionPath, found: OptionDocumentation[]): void {
  const location = locationOf(path) as Location;
  const fields = node.option(location);
  const { visible = true } = fields;
  found.push({
    name: showOption(path),
    loc: path,
    description: textOf(fields.description),
    type: fields.type.description,
    default: defaultText(fields),
    example: fields.example === undefined ? undefined : valueText(fields.example),
    declarations: node.declarations.map((each) => placeOf(each, location)),
    readOnly: fields.readOnly === true,
    internal: fields.internal === true,
    visible: visible === true || visible === "shallow",
    relatedPackages: fields.relatedPackages ?? [],
  });
  if (visible === false || visible === "shallow") return;
  for (const { prefix, shape } of fields.type.fields.subOptions?.(path) ?? []) collect(shape, prefix, found);
}

function placeOf(declaration: Declaration, location: Location): string {
  const place = locate(declaration.source, "options", location);
  return place === undefined ? declaration.source.label : showPlace(place);
}

function defaultText(fields: OptionFields): string | undefined {
  // In quotes it would be taken for the value.
  if (fields.defaultText !== undefined) return textOf(fields.defaultText);
  if (fields.default !== undefined) return valueText(fields.default);
  const empty = fields.type.fields.subOptions === undefined ? fields.type.emptyValue : undefined;
  return empty === undefined ? undefined : valueText(empty.value);
}

function valueText(value: unknown): string {
  if (isText(value)) return value.text;
  return typeof value === "function" ? "(computed)" : showWholeValue(value);
}

function textOf(text: Documentation | string | undefined): string | undefined {
  return typeof text === "string" ? text : text?.text;
}

function isText(value: unknown): value is Documentation {
  if (typeof value !== "object" || value === null) return false;
  const tag: unknown = Reflect.get(value, "_type");
  return tag === "literalExpression" || tag === "literalMarkdown";
}

/** Names of the options that users see but nobody described. */
export function undescribed(options: readonly OptionDocumentation[]): readonly string[] {
  return options.filter((each) => each.visible && !each.internal && !each.description?.trim()).map((each) => each.name);
}

/** What users see: neither hidden nor internal. */
function shown(options: readonly OptionDocumentation[]): readonly OptionDocumentation[] {
  return options.filter((each) => each.visible && !each.internal);
}

/** Machine-readable documentation, one record per option name. */
export function documentationJson(options: readonly OptionDocumentation[]): string {
  return `${JSON.stringify(Object.fromEntries(options.map(({ name, ...rest }) => [name, rest])), null, 2)}\n`;
}

/** One Markdown document. */
export function documentationMarkdown(options: readonly OptionDocumentation[], title: string): string {
  const parts = shown(options).map((option) => {
    const lines = [
      `## \`${option.name}\``,
      "",
      option.description ?? "",
      "",
      `Type: ${option.type}${option.readOnly ? " (read-only)" : ""}`,
      "",
    ];
    if (option.default !== undefined) lines.push(`Default: ${code(option.default)}`, "");
    if (option.example !== undefined) lines.push(`Example: ${code(option.example)}`, "");
    lines.push(`Declared in ${option.declarations.map((place) => `\`${place}\``).join(", ")}`, "");
    return lines.join("\n");
  });
  return [`# ${title}`, "", ...parts].join("\n");
}

function code(text: string): string {
  return text.includes("\n") ? `\n\n\`\`\`ts\n${text}\n\`\`\`` : `\`${text}\``;
}
