/** Whether definitions have an option each, which is asked of all before any is handed down. */
import { isProperty, type PropertyRecord } from "./properties.ts";
import { isRecord } from "./records.ts";
import type { ShapeNode } from "./shape.ts";

/** Whether everything that is defined is for declared options; false also for what is no definition of a group. */
export function fits(shape: ShapeNode, defined: unknown): boolean {
  if (!isRecord(defined)) return defined === undefined || (isProperty(defined) && contentFits(shape, defined));
  const { positions, hasGroups } = shape;
  const keys = Object.keys(defined);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    const position = positions.get(key);
    if (position === undefined) return false;
    const group = hasGroups ? shape.groupAt(position) : undefined;
    if (group !== undefined && !fits(group, defined[key])) return false;
  }
  return true;
}

function contentFits(shape: ShapeNode, property: PropertyRecord): boolean {
  const { content } = property;
  switch (property._type) {
    case "merge":
      return Array.isArray(content) && content.every((each) => fits(shape, each));
    case "if":
      return property.parameter === false || fits(shape, content);
    case "override":
    case "order":
      return typeof property.parameter === "number" && fits(shape, content);
    case "definition":
      return fits(shape, content);
  }
}
