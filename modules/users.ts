import { defineModule, literalExpression, mkOption, types } from "#lib/evaluator/index.ts";

/** Where a name's number comes from when it is not given: people from 1000 on, system accounts in a range that packages leave alone. */
const numberRanges = { person: { from: 1000, to: 59_999 }, system: { from: 800, to: 899 } } as const;

const accountName = types.strMatching("[a-z_][a-z0-9_-]{0,30}");

const userOptions = {
  name: mkOption({
    type: accountName,
    default: (_config: unknown, { name }: { readonly name: string }): string => name,
    example: "ada",
    description: "Login name; the attribute's name by default.",
  }),
  uid: mkOption({
    type: types.nullOr(types.ints.between(0, 65_533)),
    default: null,
    example: 1000,
    description:
      "Number of the user. Without one, people get numbers from 1000 on and system users from 800 on, in order of their names; give one to keep it when users come and go.",
  }),
  group: mkOption({
    type: accountName,
    default: (_config: unknown, { name }: { readonly name: string }): string => name,
    example: "users",
    description: "Primary group; one of the user's own by default.",
  }),
  extraGroups: mkOption({
    type: types.listOf(accountName),
    default: [],
    example: ["sudo", "video"],
    description: "Further groups.",
  }),
  isSystemUser: mkOption({
    type: types.bool,
    default: false,
    description: "Whether this is an account for a service: low number, no home, no shell.",
  }),
  home: mkOption({
    type: types.str,
    default: (config: { readonly isSystemUser: boolean; readonly name: string }): string =>
      config.isSystemUser ? "/nonexistent" : config.name === "root" ? "/root" : `/home/${config.name}`,
    defaultText: "/home/NAME, or /nonexistent for a system user",
    example: "/srv/ada",
    description: "Home directory.",
  }),
  createHome: mkOption({
    type: types.bool,
    default: (config: { readonly isSystemUser: boolean }): boolean => !config.isSystemUser,
    defaultText: "true, unless this is a system user",
    description: "Whether the home directory is made, with mode 0700.",
  }),
  shell: mkOption({
    type: types.str,
    default: (config: { readonly isSystemUser: boolean }): string =>
      config.isSystemUser ? "/usr/sbin/nologin" : "/bin/bash",
    defaultText: "/bin/bash, or /usr/sbin/nologin for a system user",
    example: "/bin/sh",
    description: "Login shell.",
  }),
  description: mkOption({
    type: types.strMatching("[^:\\n]*"),
    default: "",
    example: "Ada Lovelace",
    description: "What or who the account is (the GECOS field).",
  }),
  hashedPassword: mkOption({
    sensitive: true,
    type: types.nullOr(types.strMatching("[!*]|[$][0-9a-z]+[$][^:\\n]+")),
    default: null,
    example: "$6$salt$hash",
    description:
      "Password as crypt(5) writes it, such as `mkpasswd` prints. Null locks the password; keys still work. Whoever has the image or the store can read the hash and try passwords against it; `hashedPasswordFrom` keeps it out of both.",
  }),
  hashedPasswordFrom: mkOption({
    type: types.nullOr(types.secret),
    default: null,
    example: literalExpression('{ file: "passwd.hashed-password.ada" }'),
    description:
      "Where the machine finds that hash at each boot, so that it is in no image and no store: `file` as in the credentials of a unit. Where nothing gives a credential of that name, the password stays locked.",
  }),
  authorizedKeys: mkOption({
    type: types.listOf(types.singleLineStr),
    default: [],
    example: ["ssh-ed25519 AAAA… ada@example"],
    description: "Public keys that may log in by ssh.",
  }),
};

const groupOptions = {
  gid: mkOption({
    type: types.nullOr(types.ints.between(0, 65_533)),
    default: null,
    example: 2000,
    description: "Number of the group; by default that of the user of the same name, else the next free one.",
  }),
  members: mkOption({
    type: types.listOf(accountName),
    default: [],
    example: ["ada"],
    description: "Users that are in the group.",
  }),
};

const options = {
  users: {
    users: mkOption({
      type: types.attrsOf(types.submodule({ options: userOptions })),
      default: {},
      example: { ada: { extraGroups: ["sudo"] } },
      description: "User accounts, besides those that packages bring.",
    }),
    groups: mkOption({
      type: types.attrsOf(types.submodule({ options: groupOptions })),
      default: {},
      example: { cameras: { members: ["ada"] } },
      description: "Groups, besides those that packages bring and those that users have of their own.",
    }),
    ids: {
      users: mkOption({
        type: types.attrsOf(types.int),
        default: {},
        internal: true,
        description: "Numbers of the declared users, as allocated.",
      }),
      groups: mkOption({
        type: types.attrsOf(types.int),
        default: {},
        internal: true,
        description: "Numbers of the declared groups, as allocated.",
      }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    users: typeof options;
  }
}

interface Numbered {
  readonly number: number | null;
  readonly system: boolean;
}

/** Gives a number to each name that has none, in order of the names, skipping what is taken. */
function allocate(accounts: Readonly<Record<string, Numbered>>): Record<string, number> {
  const taken = new Set(Object.values(accounts).flatMap(({ number }) => (number === null ? [] : [number])));
  const next = { person: numberRanges.person.from as number, system: numberRanges.system.from as number };
  const allocated: Record<string, number> = {};
  for (const name of Object.keys(accounts).sort()) {
    const account = accounts[name];
    if (account === undefined) continue;
    const range = account.system ? "system" : "person";
    while (account.number === null && taken.has(next[range])) next[range] += 1;
    allocated[name] = account.number ?? next[range];
    taken.add(allocated[name]);
  }
  return allocated;
}

/** User accounts and groups. */
export default defineModule({
  name: "users",
  options,
  config: {
    users: {
      users: { root: { uid: 0, group: "root", description: "root" } },
      groups: { root: { gid: 0 } },
      ids: {
        users: (config) =>
          allocate(
            Object.fromEntries(
              Object.values(config.users.users).map((user) => [
                user.name,
                { number: user.uid, system: user.isSystemUser },
              ]),
            ),
          ),
        groups: (config) => {
          const users = Object.values(config.users.users);
          const groups = config.users.groups;
          const own = users.filter((user) => user.group === user.name && !Object.hasOwn(groups, user.name));
          return allocate(
            Object.fromEntries([
              ...Object.entries(groups).map(([name, group]) => [
                name,
                {
                  number: group.gid ?? config.users.ids.users[name] ?? null,
                  system: config.users.users[name]?.isSystemUser ?? true,
                },
              ]),
              ...own.map((user) => [
                user.name,
                { number: config.users.ids.users[user.name] ?? null, system: user.isSystemUser },
              ]),
            ]),
          );
        },
      },
    },
    tests: {
      boot: (config) =>
        Object.values(config.users.users).flatMap((user) => [
          {
            type: "user",
            name: user.name,
            uid: config.users.ids.users[user.name] ?? 0,
            home: user.home,
            shell: user.shell,
          } as const,
          ...(user.hashedPassword === null && user.hashedPasswordFrom === null
            ? [{ type: "password-locked", user: user.name } as const]
            : []),
        ]),
    },
    assertions: (config) => [
      ...Object.values(config.users.users).map(({ name, hashedPassword, hashedPasswordFrom }) => ({
        assertion: hashedPassword === null || hashedPasswordFrom === null,
        message: `users.users.${name}: hashedPassword and hashedPasswordFrom cannot both decide the password.`,
      })),
      ...sameNames(config.users.users).map((message) => ({ assertion: false, message: `users.users: ${message}` })),
      ...duplicates(config.users.ids.users).map((message) => ({
        assertion: false,
        message: `users.users: ${message}`,
      })),
      ...duplicates(config.users.ids.groups).map((message) => ({
        assertion: false,
        message: `users.groups: ${message}`,
      })),
      ...Object.entries(config.users.ids.users).map(([name, number]) => ({
        assertion:
          number <= numberRanges.system.to ||
          number >= numberRanges.person.from ||
          Object.values(config.users.users).some((user) => user.name === name && user.uid !== null),
        message: `users.users.${name}: there are more system users than numbers from ${numberRanges.system.from} to ${numberRanges.system.to}. Set uid.`,
      })),
    ],
  },
});

/** A message for each login name that two attributes have: the second would take the place of the first. */
function sameNames(users: Readonly<Record<string, { readonly name: string }>>): string[] {
  const owners = new Map<string, string>();
  return Object.entries(users).flatMap(([attribute, { name }]) => {
    const other = owners.get(name);
    owners.set(name, attribute);
    return other === undefined ? [] : [`'${other}' and '${attribute}' are both called '${name}'`];
  });
}

/** A message for each number that two names share. */
function duplicates(numbers: Readonly<Record<string, number>>): string[] {
  const owners = new Map<number, string>();
  return Object.entries(numbers).flatMap(([name, number]) => {
    const other = owners.get(number);
    owners.set(number, name);
    return other === undefined ? [] : [`'${other}' and '${name}' both have the number ${number}`];
  });
}
