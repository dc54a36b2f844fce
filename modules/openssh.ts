import { defineModule, mkIf, mkOption, types } from "#lib/evaluator/index.ts";

/** Where `users.users.*.authorizedKeys` are put, with `%u` for the user as sshd_config(5) has it. */
const stagedKeys = "/etc/ssh/authorized_keys.d/%u";

const options = {
  services: {
    openssh: {
      enable: mkOption({
        type: types.bool,
        default: false,
        example: true,
        description: "Whether to run the ssh server.",
      }),
      ports: mkOption({
        type: types.nonEmptyListOf(types.port),
        default: [22],
        description: "TCP ports to listen on.",
      }),
      permitRootLogin: mkOption({
        type: types.enum(["no", "prohibit-password", "forced-commands-only", "yes"]),
        default: "prohibit-password",
        description: "Whether root may log in; with a key only, by default.",
      }),
      passwordAuthentication: mkOption({
        type: types.bool,
        default: false,
        description: "Whether passwords are accepted at all.",
      }),
      authorizedKeysFiles: mkOption({
        type: types.nonEmptyListOf(types.strMatching("[^\\s]+")),
        default: [".ssh/authorized_keys", stagedKeys],
        description:
          "Files with the public keys that may log in, absolute or below the home directory. `users.users.*.authorizedKeys` is in the second one.",
      }),
      hostKeyTypes: mkOption({
        type: types.nonEmptyListOf(types.enum(["ed25519", "ecdsa", "rsa"])),
        default: ["ed25519"],
        example: ["ed25519", "rsa"],
        description:
          "Kinds of keys by which the server proves who it is. They are made on the machine when it has none. RSA takes seconds to make, and only clients from before 2014 need it.",
      }),
      extraConfig: mkOption({
        type: types.lines,
        default: "",
        description:
          "Further lines of sshd_config(5), behind those that follow from the other options: of several values of one keyword the first counts.",
      }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    openssh: typeof options;
  }
}

const hostKey = (type: string): string => `/etc/ssh/ssh_host_${type}_key`;

/**
 * Makes the keys that are missing. Debian's unit does it at the first boot alone, and in place: after a power cut there
 * may be half a key, or none ever. Here a key has its name only once it is on the disk.
 */
const makeHostKeys = (hostKeyTypes: readonly string[]): string =>
  `/bin/sh -euc '${[
    `for type in ${hostKeyTypes.join(" ")}; do key=/etc/ssh/ssh_host_$\${type}_key; [ ! -e $$key ] || continue`,
    'rm -f $$key.new $$key.new.pub; ssh-keygen -q -N "" -t $$type -f $$key.new; sync $$key.new $$key.new.pub',
    "mv $$key.new.pub $$key.pub; mv $$key.new $$key; done; sync /etc/ssh",
  ].join("; ")}'`;

/** The OpenSSH server, which makes its host keys itself. */
export default defineModule({
  name: "openssh",
  options,
  config: mkIf((config) => config.services.openssh.enable, {
    buildroot: { starting_point: { packages: { install: ["openssh-server"] } } },
    services: {
      units: {
        "ssh.service": { vendor: true, wantedBy: ["multi-user.target"], aliases: ["sshd.service"] },
        "sshd-keygen.service": {
          unit: (config) => ({
            Description: "Make the ssh server's keys",
            ConditionPathIsReadWrite: "/etc/ssh",
            // One of them is enough.
            ConditionPathExists: config.services.openssh.hostKeyTypes.map((type) => `|!${hostKey(type)}`),
            Before: "ssh.service",
          }),
          service: (config) => ({
            Type: "oneshot",
            RemainAfterExit: true,
            ExecStart: makeHostKeys(config.services.openssh.hostKeyTypes),
          }),
          wantedBy: ["ssh.service"],
        },
      },
    },
    stage: {
      files: [
        {
          dst: "/etc/ssh/sshd_config.d/10-helios.conf",
          content: (config) => {
            const { ports, permitRootLogin, passwordAuthentication, authorizedKeysFiles, hostKeyTypes, extraConfig } =
              config.services.openssh;
            return [
              ...ports.map((port) => `Port ${port}`),
              ...hostKeyTypes.map((type) => `HostKey ${hostKey(type)}`),
              `PermitRootLogin ${permitRootLogin}`,
              `PasswordAuthentication ${passwordAuthentication ? "yes" : "no"}`,
              `AuthorizedKeysFile ${authorizedKeysFiles.join(" ")}`,
              extraConfig,
            ]
              .filter((line) => line !== "")
              .map((line) => `${line}\n`)
              .join("");
          },
        },
      ],
    },
    assertions: (config) => [
      ...overruled(config.services.openssh.extraConfig).map(([keyword, option]) => ({
        assertion: false,
        message: `services.openssh.extraConfig: ${keyword} has no effect there, since the first value counts and the option comes first. Set services.openssh.${option}.`,
      })),
      ...Object.values(config.users.users).map(({ name, authorizedKeys }) => ({
        assertion: authorizedKeys.length === 0 || findsKeys(config.services.openssh, name),
        message: `users.users.${name}.authorizedKeys: the ssh server does not look into ${forUser(stagedKeys, name)}, where they are. Add ${stagedKeys} to services.openssh.authorizedKeysFiles.`,
      })),
    ],
    tests: {
      boot: (config) => [
        ...config.services.openssh.ports.map((port) => ({ type: "ssh", port }) as const),
        {
          description: "the ssh server runs with the configured settings",
          command: "sshd -T | grep -E '^(passwordauthentication|permitrootlogin) ' | sort",
          expect: { stdout: { equals: effectiveSettings(config.services.openssh) } },
        },
        {
          description: "the ssh server has the keys that it is to have, and nothing half made",
          command: "cd /etc/ssh && ls ssh_host_* && stat -c %a ssh_host_*_key | sort -u",
          expect: {
            stdout: {
              equals: `${config.services.openssh.hostKeyTypes
                .flatMap((type) => [`ssh_host_${type}_key`, `ssh_host_${type}_key.pub`])
                .sort()
                .join("\n")}\n600`,
            },
          },
        },
      ],
      persistent: [{ description: "the ssh server's identity", command: "cat /etc/ssh/ssh_host_*_key.pub" }],
      reboot: (config) => config.services.openssh.ports.map((port) => ({ type: "ssh", port })),
    },
  }),
});

/** The first word of each line; sshd lets it end with blanks or one `=`, and takes double quotes off. */
function keywords(extraConfig: string): string[] {
  return extraConfig.split("\n").map((line) => {
    const [, start = "", quoted = ""] = /^\s*([^\s"=]*)(?:"([^"]*)")?/.exec(line) ?? [];
    return start + quoted;
  });
}

/** Whether the server looks into the file with the keys of a user's; what it does behind a Match or runs is not known. */
function findsKeys(
  settings: { readonly authorizedKeysFiles: readonly string[]; readonly extraConfig: string },
  user: string,
): boolean {
  return (
    settings.authorizedKeysFiles.some((file) => forUser(file, user) === forUser(stagedKeys, user)) ||
    keywords(settings.extraConfig).some((keyword) => /^authorizedkeys(file|command)$/i.test(keyword))
  );
}

/** A file name with the tokens of sshd_config(5) replaced that say who it is; others stay. */
function forUser(file: string, user: string): string {
  return file.replaceAll(/%([%u])/g, (_, token: string) => (token === "u" ? user : "%"));
}

/** Keywords of lines that an option has decided already; behind a Match, which only adds conditions, they count. */
function overruled(extraConfig: string): (readonly [keyword: string, option: string])[] {
  const lines = keywords(extraConfig);
  const match = lines.findIndex((keyword) => keyword.toLowerCase() === "match");
  return lines.slice(0, match < 0 ? undefined : match).flatMap((keyword) => {
    const option = ["permitRootLogin", "passwordAuthentication"].find(
      (name) => name.toLowerCase() === keyword.toLowerCase(),
    );
    if (keyword.toLowerCase() === "authorizedkeysfile") return [[keyword, "authorizedKeysFiles"] as const];
    return option === undefined ? [] : [[keyword, option] as const];
  });
}

/** What `sshd -T` prints of the two settings; it writes the older name of `prohibit-password`. */
function effectiveSettings(settings: {
  readonly permitRootLogin: string;
  readonly passwordAuthentication: boolean;
}): string {
  const root = settings.permitRootLogin === "prohibit-password" ? "without-password" : settings.permitRootLogin;
  return `passwordauthentication ${settings.passwordAuthentication ? "yes" : "no"}\npermitrootlogin ${root}\n`;
}
