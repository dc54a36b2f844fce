import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { mkDerivation } from "../mk-derivation.ts";
import { type Entry, directory } from "./entry.ts";

/** A user of the target. */
export interface UserAccount {
  readonly name: string;
  /** At least 1000, or an id that Debian assigns statically (below 100); the build gives out the ones between. */
  readonly uid: number;
  /** Primary group, by name: declared, or a system group. */
  readonly group: string;
  /** Further groups, by name. */
  readonly groups?: readonly string[];
  readonly home: string;
  readonly shell: string;
  readonly description?: string;
  /** As crypt(5) prints it. Absent or null: no password lets the user in. */
  readonly hashedPassword?: string | null;
  /** Makes the home directory, with mode 0700. */
  readonly createHome?: boolean;
}

/** A group of the target. */
export interface GroupAccount {
  readonly name: string;
  readonly gid: number;
  readonly members?: readonly string[];
}

/** The accounts that are declared, not those that packages bring. */
export interface Accounts {
  readonly users: readonly UserAccount[];
  readonly groups: readonly GroupAccount[];
}

/** root as it is unless a user of that name is declared: present, but locked. */
const lockedRoot: UserAccount = {
  name: "root",
  uid: 0,
  group: "root",
  home: "/root",
  shell: "/bin/bash",
  description: "root",
};

const rootGroup: GroupAccount = { name: "root", gid: 0 };

const script = source({ path: join(import.meta.dirname, "accounts.sh") });

/**
 * `passwd`, `group`, `shadow` and `gshadow` in one directory: the declared
 * accounts, completed by those of the packages' sysusers.d files. systemd-sysusers
 * gives out ids from 999 downwards in the order of the files, so equal packages
 * and declarations give equal ids.
 *
 * @param sysusers a directory of sysusers.d files
 * @param further lines of sysusers.d(5)
 * @param existing a directory with account files of the tree itself; accounts of the same names are as declared
 */
export function accountFiles(
  tools: Derivation,
  options: Accounts & {
    readonly name: string;
    readonly sysusers: Derivation;
    readonly further: readonly string[];
    readonly existing?: Derivation;
  },
): Derivation {
  const { users, groups } = withRoot(options);
  return mkDerivation({
    name: `${options.name}-accounts`,
    environment: tools,
    script,
    env: {
      sysusers: options.sysusers,
      existing: options.existing ?? "",
      further: options.further.map((line) => `${line}\n`).join(""),
      users: users.map(userLine).join(""),
      groups: groups.map(({ name, gid }) => line(`group '${name}'`, [name, String(gid)])).join(""),
      members: memberLines(users, groups),
      passAsFile: ["further", "users", "groups", "members"],
    },
  });
}

/** The account files as entries, and the home directories. */
export function accountEntries(files: Derivation, accounts: Accounts): readonly Entry[] {
  const { users, groups } = withRoot(accounts);
  const shadow = 42;
  const gid = new Map(groups.map((group) => [group.name, group.gid]));
  const homes = users.filter((user) => user.createHome === true);
  return [
    { path: "/etc/passwd", type: "file", mode: "0644", source: `${files}/passwd` },
    { path: "/etc/group", type: "file", mode: "0644", source: `${files}/group` },
    { path: "/etc/shadow", type: "file", mode: "0640", gid: shadow, source: `${files}/shadow` },
    { path: "/etc/gshadow", type: "file", mode: "0640", gid: shadow, source: `${files}/gshadow` },
    ...homes.map((user) => directory(user.home, "0700", user.uid, gid.get(user.group) ?? user.uid)),
  ];
}

function withRoot({ users, groups }: Accounts): Accounts {
  return {
    users: users.some((user) => user.name === "root") ? users : [lockedRoot, ...users],
    groups: groups.some((group) => group.name === "root") ? groups : [rootGroup, ...groups],
  };
}

/** name:uid:group:description:home:shell:password. `!*` is a password that nothing hashes to, and locked. */
function userLine(user: UserAccount): string {
  const { name, uid, group, description = "", home, shell } = user;
  return line(`user '${name}'`, [name, String(uid), group, description, home, shell, user.hashedPassword ?? "!*"]);
}

/** One line of an account file; a colon or a line break in a field would make other fields or accounts of it. */
function line(account: string, fields: readonly string[]): string {
  const bad = fields.find((field) => /[:\n\r\0]/.test(field));
  if (bad !== undefined)
    throw new RangeError(
      `The ${account} has ${JSON.stringify(bad)}, but account files have no place for colons and line breaks.`,
    );
  return `${fields.join(":")}\n`;
}

/** group:user, sorted, each once. */
function memberLines(users: readonly UserAccount[], groups: readonly GroupAccount[]): string {
  const lines = [
    ...users.flatMap((user) => (user.groups ?? []).map((group) => `${group}:${user.name}\n`)),
    ...groups.flatMap((group) => (group.members ?? []).map((user) => `${group.name}:${user}\n`)),
  ];
  return [...new Set(lines)].sort().join("");
}
