/** Names that a long name of FAT cannot have in it. */
const forbidden = /[\\:*?"<>|]/;

/** What is wrong with a path of the boot partition, with what to do; undefined if nothing is. */
export function fatPathProblem(path: string): string | undefined {
  const problem = problemOf(path);
  if (problem === undefined) return undefined;
  return `${problem}. Write a path below the top of the partition, such as "overlays/x.dtbo"`;
}

function problemOf(path: string): string | undefined {
  if (path === "") return "it is empty";
  if (path.startsWith("/")) return "it starts with /";
  const [character] = forbidden.exec(path) ?? [];
  if (character !== undefined) return `'${character}' cannot be in a name on FAT`;
  // A surrogate alone has no name in UTF-8.
  if (/[\p{Cc}\p{Cs}]/u.test(path)) return "a control character cannot be in a name on FAT";
  for (const part of path.split("/")) {
    if (part === "") return "a part of it is empty";
    if (part === "." || part === "..") return `a part of it is '${part}'`;
    if (/[ .]$/.test(part)) return `'${part}' ends in a blank or a dot, which FAT drops`;
    if (part.length > 255) return `a part of it has ${part.length} characters, and a name on FAT at most 255`;
  }
  return undefined;
}
