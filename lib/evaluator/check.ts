/** Computing everything, also what nothing reads, and reporting all that is wrong at once. */
import { EvaluationError } from "./errors.ts";
import { evaluationOf } from "./evaluate.ts";
import { GroupNode, OptionCell } from "./nodes.ts";
import { RecordSource, recordSourceOf } from "./records.ts";

/**
 * Every error of an evaluation, each once. An option that has neither value
 * nor default is no error as long as nothing reads it.
 */
export function allErrors(evaluated: object): readonly EvaluationError[] {
  const found = new Set<EvaluationError>();
  const note = (error: unknown): void => {
    if (!(error instanceof EvaluationError)) throw error;
    found.add(error);
  };
  const evaluation = evaluationOf(evaluated);
  try {
    evaluation.check();
  } catch (error) {
    note(error);
    // Without a sound structure values mean little, unless only undeclared names are the matter.
    if (!(error instanceof EvaluationError) || error.reason !== "unknown-option") return [...found];
  }
  const visitGroup = (group: GroupNode): void => {
    for (const key of group.shape.keys) {
      const child = key === "_module" && group.isRoot ? undefined : group.child(key);
      if (child instanceof GroupNode) visitGroup(child);
      else if (child instanceof OptionCell) visitCell(child);
    }
  };
  const visitCell = (cell: OptionCell): void => {
    // A former name has no value of its own: what is wrong shows at the new name, or as a failed assertion.
    if (cell.fields.forward !== undefined) return;
    try {
      visitValue(cell.force());
    } catch (error) {
      const isUnset =
        error instanceof EvaluationError &&
        error.failure.reason === "undefined-option" &&
        error.failure.location === cell;
      if (!isUnset || cell.hasReaders) note(error);
    }
  };
  const visitValue = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const element of value) visitValue(element);
      return;
    }
    const source = recordSourceOf(value);
    if (source instanceof GroupNode) {
      try {
        source.evaluation.check();
      } catch (error) {
        note(error);
      }
      visitGroup(source);
    } else if (source instanceof RecordSource) {
      for (const key of source.keyList()) {
        try {
          visitValue(source.readKey(key));
        } catch (error) {
          note(error);
        }
      }
    }
  };
  visitGroup(evaluation.root);
  return [...found];
}
