import type { OpenFile } from "./byte-source.ts";
import { MalformedArchive } from "./errors.ts";

/** A member of an ar archive: its name and where its bytes lie in the file. */
export interface ArMember {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

const magic = "!<arch>\n";
const headerSize = 60;

/**
 * Lists the members of an ar archive in the common format that Debian packages
 * use (deb(5)): names of up to 15 characters, no symbol table. `size` is the
 * file's length.
 */
export async function readArMembers(archive: string, file: OpenFile, size: number): Promise<readonly ArMember[]> {
  const malformed = (offset: number, reason: string): MalformedArchive =>
    new MalformedArchive({ archive, format: "ar", offset, reason });
  const buffer = Buffer.alloc(headerSize);
  await file.read(buffer, 0, magic.length, 0);
  if (buffer.toString("latin1", 0, magic.length) !== magic) throw malformed(0, "the magic number is missing");
  const members: ArMember[] = [];
  const names = new Set<string>();
  for (let offset = magic.length; offset < size; ) {
    const { bytesRead } = await file.read(buffer, 0, headerSize, offset);
    if (bytesRead < headerSize) throw malformed(offset, "a member's header is cut off");
    if (buffer.toString("latin1", 58, 60) !== "`\n") throw malformed(offset, "a member's header has no end mark");
    // GNU ar ends names with a slash; dpkg does not.
    const name = buffer.toString("latin1", 0, 16).trimEnd().replace(/\/$/, "");
    const digits = buffer.toString("latin1", 48, 58).trimEnd();
    if (!/^[0-9]+$/.test(digits)) throw malformed(offset, "a member's size is not a number");
    if (names.has(name)) throw malformed(offset, `two members are named '${name}'`);
    const length = Number(digits);
    const start = offset + headerSize;
    if (start + length > size) throw malformed(offset, `member '${name}' is cut off`);
    names.add(name);
    members.push({ name, start, size: length });
    offset = start + length + (length % 2);
  }
  return members;
}
