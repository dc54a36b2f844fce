/** One entry of apt's sources (see sources.list(5)), in either of its two syntaxes. */
export interface AptSource {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Keyring paths, fingerprints or an embedded key; undefined when every trusted key will do. */
  readonly signedBy: string | undefined;
}

/** Parses the one-line syntax: `deb [signed-by=/key.gpg] http://mirror.example/debian trixie main`. */
export function parseSourceList(text: string): readonly AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*(deb(?:-src)?)\s+(?:\[([^\]]*)\]\s*)?(.+)$/.exec(line.replace(/#.*/, ""));
    if (match === null) return [];
    const [uri, suite, ...components] = words(match[3]);
    if (uri === undefined || suite === undefined) return [];
    const options = new Map(words(match[2]).map((option) => option.split(/[+-]?=(.*)/, 2) as [string, string]));
    return [{ types: words(match[1]), uris: [uri], suites: [suite], components, signedBy: options.get("signed-by") }];
  });
}

/** Parses the deb822 syntax of `*.sources` files: paragraphs of `Field: value` with continuation lines. */
export function parseDeb822Sources(text: string): readonly AptSource[] {
  return text
    .replaceAll(/^#.*\n?/gm, "")
    .split(/\n[ \t]*\n/)
    .flatMap((paragraph) => {
      const fields = parseParagraph(paragraph);
      if (/^(?:no|false|without|off|disable|0)$/i.test(fields.get("enabled")?.trim() ?? "")) return [];
      const uris = words(fields.get("uris"));
      if (uris.length === 0) return [];
      return [
        {
          types: words(fields.get("types")),
          uris,
          suites: words(fields.get("suites")),
          components: words(fields.get("components")),
          signedBy: fields.get("signed-by")?.trim(),
        },
      ];
    });
}

/** Field names are case-insensitive; the map has them in lower case. */
function parseParagraph(paragraph: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of paragraph.split("\n")) {
    const field = /^([^\s:]+)[ \t]*:(.*)$/.exec(line);
    if (field?.[1] !== undefined) {
      current = field[1].toLowerCase();
      fields.set(current, field[2] ?? "");
    } else if (current !== undefined && /^[ \t]/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ""}\n${line.trim()}`);
    }
  }
  return fields;
}

/** Code names and the names of Debian's suites, without pocket. */
const releases =
  /^(?:stretch|buster|bullseye|bookworm|trixie|forky|duke|sid|(?:old)*stable|testing|unstable|experimental)$/;

/**
 * Which archive of Debian's a mirror of a source holds: the main one, the security archive, or none.
 * Other vendors' repositories use Debian's code names, and some use its path, but none uses its components,
 * its path and its keys together.
 */
export function debianArchiveOf(source: AptSource, mirror: string): "main" | "security" | undefined {
  if (!source.types.includes("deb") || !source.components.includes("main")) return undefined;
  const pockets = source.suites.flatMap((suite) => {
    const [release, pocket] = suite.split(/[-/](.*)/, 2);
    return release !== undefined && releases.test(release) ? [pocket] : [];
  });
  if (pockets.length === 0) return undefined;
  const path = mirror.replace(/^[a-z]+:\/\/[^/]*/i, "").replace(/\/+$/, "");
  const debianPath = /\/debian[^/]*(?:\/|$)/.test(path);
  const debianKeys = source.signedBy?.includes("debian-archive");
  const trusted = debianKeys ?? debianPath;
  if (!trusted && !/\/debian(?:-security)?$/.test(path)) return undefined;
  return path.endsWith("-security") || pockets.every((pocket) => pocket === "security") ? "security" : "main";
}

function words(text: string | undefined): readonly string[] {
  return text?.split(/\s+/).filter((word) => word !== "") ?? [];
}
