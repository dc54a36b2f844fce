/** One definition on its way from a module to an option. */
import { Cell } from "./cells.ts";
import { EvaluationError } from "./errors.ts";
import type { Location } from "./location.ts";
import type { ModuleSource } from "./module-source.ts";
import { defaultOrder, defaultPriority } from "./properties.ts";

/** What thunks of one module are called with. */
export interface ThunkScope {
  readonly config: object;
  readonly arguments: object;
}

/** A chain of conditions, all of which must hold. */
export class ConditionLink {
  readonly condition: unknown;
  readonly scope: ThunkScope;
  readonly source: ModuleSource;
  readonly next: ConditionLink | undefined;
  /** Present where many options share the condition, so that it is evaluated once. */
  private readonly cell: ConditionCell | undefined;

  constructor(
    condition: unknown,
    scope: ThunkScope,
    source: ModuleSource,
    next: ConditionLink | undefined,
    location: Location | undefined,
    shared: boolean,
  ) {
    this.condition = condition;
    this.scope = scope;
    this.source = source;
    this.next = next;
    this.cell = shared && typeof condition === "function" ? new ConditionCell(this, location) : undefined;
  }

  /** Whether this link alone holds. */
  holds(location: Location | undefined): boolean {
    if (this.condition === true) return true;
    if (this.condition === false) return false;
    return this.cell === undefined ? this.evaluate(location) : (this.cell.force() as boolean);
  }

  /** Calls the condition. */
  evaluate(location: Location | undefined): boolean {
    const result: unknown =
      typeof this.condition === "function" ? this.condition(this.scope.config, this.scope.arguments) : this.condition;
    if (typeof result !== "boolean") {
      throw new EvaluationError({
        reason: "bad-property",
        location,
        problem: `mkIf takes a boolean condition, but this one is ${result === null ? "null" : `a ${typeof result}`}`,
        definitions: [{ source: this.source, value: result }],
      });
    }
    return result;
  }
}

class ConditionCell extends Cell {
  readonly up: Location | undefined;
  readonly key = "<condition>";
  private readonly link: ConditionLink;
  constructor(link: ConditionLink, location: Location | undefined) {
    super();
    this.link = link;
    this.up = location;
  }
  protected compute(): boolean {
    return this.link.evaluate(this.up);
  }
  protected failure(error: unknown): unknown {
    return EvaluationError.from(error, this.up, { source: this.link.source });
  }
}

/** Whether every condition of a chain holds; inner ones are not asked when an outer one fails. */
export function conditionsHold(link: ConditionLink | undefined, location: Location | undefined): boolean {
  if (link === undefined) return true;
  if (link.next === undefined) return link.holds(location);
  const chain: ConditionLink[] = [];
  for (let at: ConditionLink | undefined = link; at !== undefined; at = at.next) chain.push(at);
  return chain.reverse().every((each) => each.holds(location));
}

/** A definition with everything that decides whether and where it counts. */
export class DefinitionRecord {
  readonly value: unknown;
  readonly source: ModuleSource;
  readonly scope: ThunkScope;
  readonly condition: ConditionLink | undefined;
  readonly priority: number;
  readonly order: number;

  constructor(
    value: unknown,
    source: ModuleSource,
    scope: ThunkScope,
    condition: ConditionLink | undefined = undefined,
    priority: number = defaultPriority,
    order: number = defaultOrder,
  ) {
    this.value = value;
    this.source = source;
    this.scope = scope;
    this.condition = condition;
    this.priority = priority;
    this.order = order;
  }

  /** The same definition of something inside: conditions, priority and order are pushed down. */
  inside(value: unknown): DefinitionRecord {
    return new DefinitionRecord(value, this.source, this.scope, this.condition, this.priority, this.order);
  }

  /** A definition of an element of this value, which starts its own life. */
  element(value: unknown): DefinitionRecord {
    return new DefinitionRecord(value, this.source, this.scope);
  }
}
