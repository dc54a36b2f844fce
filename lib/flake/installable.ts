import * as Data from "effect/Data";
import { resolve } from "node:path";

/**
 * What a command works on: an attribute path into a flake's outputs, written as
 * in Nix: `.#helios-cm5`, `.#systems.helios-cm5.config.build`; or the system that
 * a file describes, or an attribute of it: `build.toml`, `build.toml#config.build`.
 */
export interface Installable {
  /** As the user wrote it. */
  readonly text: string;
  /** The components after `#`, unquoted; empty means the default output. */
  readonly path: readonly string[];
  /** The file that describes the system, absolute, when it is not one of the flake's own. */
  readonly file?: string;
}

/** The text is not an installable. */
export class InvalidInstallable extends Data.TaggedError("InvalidInstallable")<{
  readonly text: string;
  readonly why: string;
}> {
  override get message(): string {
    return `'${this.text}' is not an installable: ${this.why}. Write it like '.#helios-cm5'.`;
  }
}

/** The flake has no such output. */
export class UnknownAttribute extends Data.TaggedError("UnknownAttribute")<{
  readonly text: string;
  /** The path that was found, up to the component that is missing. */
  readonly found: readonly string[];
  readonly missing: string;
  readonly suggestions: readonly string[];
  readonly known: readonly string[];
}> {
  override get message(): string {
    const where = this.found.length === 0 ? "the flake's outputs have" : `'${this.found.join(".")}' has`;
    const hint =
      this.suggestions.length > 0
        ? `Did you mean ${this.suggestions.map((name) => `'${name}'`).join(" or ")}?`
        : this.known.length > 0
          ? `It has: ${this.known.slice(0, 20).join(", ")}${this.known.length > 20 ? ", …" : ""}.`
          : "It has no attributes.";
    return `${this.text}: ${where} no attribute '${this.missing}'. ${hint}`;
  }
}

/** The output exists but cannot be used in this way. */
export class UnsuitableOutput extends Data.TaggedError("UnsuitableOutput")<{
  readonly text: string;
  readonly path: readonly string[];
  readonly wanted: string;
  readonly actual: string;
}> {
  override get message(): string {
    return `${this.text}: '${this.path.join(".")}' is ${this.actual}, not ${this.wanted}. 'show' lists what there is.`;
  }
}

/** Parses `.#a.b."c.d"`, `#a`, a bare `a.b`, and `FILE.toml` or `FILE.json` with or without `#a.b`. */
export function parseInstallable(text: string): Installable | InvalidInstallable {
  const hash = text.indexOf("#");
  const before = hash === -1 ? text : text.slice(0, hash);
  const isFile = /\.(toml|json)$/.test(before);
  if (hash !== -1 && before !== "" && before !== "." && !isFile) {
    return new InvalidInstallable({
      text,
      why: `only this flake ('.') or a file (*.toml, *.json) can be named before '#', not '${before}'`,
    });
  }
  if (hash === -1 && !isFile && /^[^"]*\//.test(text)) {
    return new InvalidInstallable({ text, why: "of files, only those named *.toml or *.json describe a system" });
  }
  const attribute = hash === -1 && (isFile || text === ".") ? "" : text.slice(hash + 1);
  const path = splitPath(attribute);
  if (path === undefined)
    return new InvalidInstallable({ text, why: "its attribute path has an empty or unclosed component" });
  return isFile ? { text, path, file: resolve(before) } : { text, path };
}

/** Splits at dots outside double quotes; undefined when a component is empty or a quote stays open. */
function splitPath(attribute: string): readonly string[] | undefined {
  if (attribute === "") return [];
  const components: string[] = [];
  const component = /(?:"([^"]*)"|([^."]+))(\.|$)/y;
  let ended = false;
  while (!ended) {
    const match = component.exec(attribute);
    if (match === null) return undefined;
    components.push(match[1] ?? match[2] ?? "");
    ended = match[3] === "";
  }
  return components.includes("") ? undefined : components;
}
