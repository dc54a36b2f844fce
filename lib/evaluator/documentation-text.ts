/** Texts in declarations that are not plain prose. */

/** Source code or Markdown shown as it is. */
export interface Documentation {
  readonly _type: "literalExpression" | "literalMarkdown";
  readonly text: string;
}

/** An expression shown as code, e.g. as `defaultText`. */
export function literalExpression(text: string): Documentation {
  return { _type: "literalExpression", text };
}

/** Markdown shown as it is. */
export function literalMD(text: string): Documentation {
  return { _type: "literalMarkdown", text };
}
