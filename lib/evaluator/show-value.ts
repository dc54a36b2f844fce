/** Values as messages show them: short, on as few lines as fit, never failing. */
import { showComponent } from "./location.ts";

const maximumLines = 5;
const maximumDepth = 10;

/** At most five lines of the value. */
export function showValue(value: unknown): string {
  const shown = render(value, 0).split("\n");
  return shown.length <= maximumLines ? shown.join("\n") : [...shown.slice(0, maximumLines), "…"].join("\n");
}

/** The whole value, as documentation prints defaults. */
export function showWholeValue(value: unknown): string {
  return render(value, 0);
}

function render(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
    case "boolean":
    case "undefined":
    case "bigint":
    case "symbol":
      return String(value);
    case "function":
      return "<thunk>";
    case "object":
      return value === null ? "null" : renderObject(value, depth);
  }
}

function renderObject(value: object, depth: number): string {
  if (depth >= maximumDepth) return "…";
  const indent = "  ".repeat(depth + 1);
  const end = "  ".repeat(depth);
  try {
    if (Array.isArray(value)) {
      const elements = value.map((element) => render(element, depth + 1));
      const flat = `[${elements.join(", ")}]`;
      return flat.length <= 60 && !flat.includes("\n")
        ? flat
        : `[\n${elements.map((e) => indent + e).join(",\n")}\n${end}]`;
    }
    const tag: unknown = Reflect.get(value, "_type");
    if (tag === "if" || tag === "merge" || tag === "override" || tag === "order" || tag === "definition") {
      return `<${tag}> ${render(Reflect.get(value, "content"), depth)}`;
    }
    if (tag === "option" || tag === "option-type") return `<${tag}>`;
    if (typeof tag === "string" || !isPlain(value)) return showInstance(value);
    const entries = Object.keys(value).map(
      (key) => `${showComponent(key)}: ${render(Reflect.get(value, key), depth + 1)}`,
    );
    const flat = entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
    return flat.length <= 60 && !flat.includes("\n")
      ? flat
      : `{\n${entries.map((e) => indent + e).join(",\n")}\n${end}}`;
  } catch {
    // A value that cannot be computed must not hide the message it is shown in.
    return "<not computable>";
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function showInstance(value: object): string {
  const name: unknown = Reflect.get(value, "name");
  const kind = value.constructor?.name ?? "object";
  return typeof name === "string" ? `<${kind} ${name}>` : `<${kind}>`;
}
