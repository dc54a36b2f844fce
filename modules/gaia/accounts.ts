/** Accounts that a tree has in Buildroot's own way: a table of users, and the password of root. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../local-files/local-file.ts";
import { type GaiaTree, isTable, type KeyPath, textOf } from "./tree.ts";

/** Options of one account. */
export type AccountValues = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Definitions of `users`, without priorities. */
export interface TableAccounts {
  readonly users: Readonly<Record<string, AccountValues>>;
  readonly groups: Readonly<Record<string, AccountValues>>;
}

/** What the symbols of Buildroot say of accounts. A hash of a password is taken out of the symbols: these are written down. */
export function takeAccounts(tree: GaiaTree): TableAccounts {
  const users: Record<string, AccountValues> = {};
  const groups: Record<string, AccountValues> = {};
  const [passwordKey, password] = symbol(tree, "TARGET_GENERIC_ROOT_PASSWD");
  // make wants each dollar twice.
  const hash = textOf(password)?.replaceAll("$$", "$");
  if (hash?.startsWith("$") === true) {
    users["root"] = { hashedPassword: hash };
    tree.remove(["buildroot", "symbols", passwordKey]);
  }
  const [tablesKey, tables] = symbol(tree, "ROOTFS_USERS_TABLES");
  const at = ["buildroot", "symbols", tablesKey];
  for (const path of textOf(tables)?.split(/\s+/) ?? []) {
    const file = findTable(tree, path, at);
    if (file === undefined) continue;
    for (const [index, line] of readText(file).split("\n").entries()) {
      if (/^\s*(#|$)/.test(line)) continue;
      const account = readLine(line.trim(), (problem) =>
        tree.report({ path: at, problem: `${file}:${index + 1}: ${problem}`, suggestions: [] }),
      );
      if (account === undefined) continue;
      const { name, group, gid, password: written } = account;
      const groupIsTheUsers = name === group;
      // A line that leaves the number open does not take it from a line that has one.
      if (!groupIsTheUsers && !systemGroups.has(group)) groups[group] = gid < 0 ? (groups[group] ?? {}) : { gid };
      if (name === "-") continue;
      if (groupIsTheUsers && gid >= 0) groups[group] = { gid };
      for (const further of account.user.extraGroups) if (!systemGroups.has(further)) groups[further] ??= {};
      users[name] = {
        ...account.user,
        ...passwordOf(tree, at, `${file}:${index + 1}: '${name}'`, written, account.user.shell),
      };
    }
  }
  return { users, groups };
}

/** The key as it is written, with or without BR2_, and its value. */
function symbol(tree: GaiaTree, name: string): readonly [key: string, value: unknown] {
  const symbols = tree.table("buildroot", "symbols") ?? {};
  const key = Object.keys(symbols).find((each) => each.toUpperCase().replace(/^BR2_/, "") === name) ?? name;
  return [key, symbols[key]];
}

/** Paths start in Buildroot's own directory, into which Gaia links boards of external trees. */
function findTable(tree: GaiaTree, written: string, at: KeyPath): string | undefined {
  const external = tree.value(["buildroot", "external"]);
  const trees = (Array.isArray(external) ? (external as readonly unknown[]) : []).flatMap((each) => {
    const src = textOf(isTable(each) ? each["src"] : each);
    const path = src === undefined ? undefined : tree.resolve(src, ["buildroot", "external"]);
    return path === undefined ? [] : [path];
  });
  const path = written.replace(/^\$[({]BR2_EXTERNAL_\w+_PATH[)}]\//, "");
  const places = written.startsWith("/")
    ? [written]
    : [
        ...trees.flatMap((src) => [join(src, path), join(src, path.replace(/^board\//, "boards/"))]),
        tree.resolve(path, at) ?? "",
      ];
  const found = places.find((place) => place !== "" && existsSync(place));
  if (found === undefined)
    tree.report({
      path: at,
      problem: `there is no '${written}': looked for at ${[...new Set(places)].join(", ")}`,
      suggestions: [],
    });
  return found;
}

const accountName = /^[a-z_][a-z0-9_-]{0,30}$/;

/** One line: login, uid, group, gid, password, home, shell, groups, comment; `-` is none. */
function readLine(line: string, report: (problem: string) => void) {
  const [name = "", uidText = "", group = "", gidText = "", password = "", home = "", shell = "", more = "", ...rest] =
    line.split(/\s+/);
  const [uid, gid] = [Number(uidText), Number(gidText)];
  const extraGroups = more === "-" ? [] : more.split(",");
  if (more === "")
    return report("a user has nine fields: name, uid, group, gid, password, home, shell, groups, comment");
  if (!Number.isInteger(uid) || !Number.isInteger(gid))
    return report(`'${uidText}' and '${gidText}' are to be numbers of a user and a group, or -1 or -2 for any`);
  const bad = [...(name === "-" ? [] : [name]), group, ...extraGroups].find((each) => !accountName.test(each));
  if (bad !== undefined) return report(`'${bad}' cannot be the name of a user or a group`);
  const isSystemUser = uid === -2 || (uid >= 0 && uid < 1000);
  const user = {
    ...(uid < 0 ? {} : { uid }),
    group,
    isSystemUser,
    home: home === "-" ? "/" : home,
    createHome: home !== "-" && home !== "/",
    shell: shell === "-" ? "/bin/false" : shell,
    extraGroups,
    description: rest.join(" ").replace(/^-$/, ""),
  };
  return { name, group, gid, password, user };
}

/** Of a password as the table writes it. */
function passwordOf(
  tree: GaiaTree,
  at: KeyPath,
  who: string,
  written: string,
  shell: string,
): { readonly hashedPassword?: string } {
  if (/^!?=/.test(written)) {
    const problem = `${who} has a password in the clear. Write its hash, as 'mkpasswd' prints it`;
    tree.tolerate({ path: at, problem, suggestions: [] }, "the account is locked");
    return {};
  }
  if (written === "-") {
    if (!/\/(false|nologin)$/.test(shell)) tree.warn(at, `${who} has no password; here that is a locked account`);
    return {};
  }
  return { hashedPassword: /^[!*]/.test(written) ? written.charAt(0) : written };
}

/** Groups that every base has, by their names in Debian; a number that a table gives them does not count. */
const systemGroups: ReadonlySet<string> = new Set(
  `adm audio backup bin cdrom clock daemon dialout dip disk fax floppy games input irc kmem kvm list lp mail man
  messagebus news nogroup operator plugdev proxy render root sasl sgx shadow src staff sudo sys systemd-journal
  systemd-network tape tty users utmp uucp video voice www-data`.split(/\s+/),
);
