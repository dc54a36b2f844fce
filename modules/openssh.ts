import { defineModule, mkIf, mkOption, types } from "#lib/evaluator/index.ts";

const options = {
  services: {
    openssh: {
      enable: mkOption({
        type: types.bool,
        default: false,
        example: true,
        description: "Whether to run the ssh server.",
      }),
      ports: mkOption({ type: types.listOf(types.port), default: [22], description: "TCP ports to listen on." }),
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
        default: [".ssh/authorized_keys", "/etc/ssh/authorized_keys.d/%u"],
        description:
          "Files with the public keys that may log in, absolute or below the home directory. `users.users.*.authorizedKeys` is in the second one.",
      }),
      extraConfig: mkOption({ type: types.lines, default: "", description: "Further lines of sshd_config(5)." }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    openssh: typeof options;
  }
}

/** The OpenSSH server. Host keys are made on first boot. */
export default defineModule({
  name: "openssh",
  options,
  config: mkIf((config) => config.services.openssh.enable, {
    buildroot: { starting_point: { packages: { install: ["openssh-server"] } } },
    services: {
      units: {
        "ssh.service": { vendor: true, wantedBy: ["multi-user.target"], aliases: ["sshd.service"] },
        "sshd-keygen.service": { vendor: true, wantedBy: ["ssh.service"] },
      },
    },
    stage: {
      files: [
        {
          dst: "/etc/ssh/sshd_config.d/10-helios.conf",
          content: (config) => {
            const { ports, permitRootLogin, passwordAuthentication, authorizedKeysFiles, extraConfig } =
              config.services.openssh;
            return [
              ...ports.map((port) => `Port ${port}`),
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
    tests: {
      boot: (config) => [
        ...config.services.openssh.ports.map((port) => ({ type: "ssh", port }) as const),
        {
          description: "the ssh server runs with the configured settings",
          command: "sshd -T | grep -E '^(passwordauthentication|permitrootlogin) ' | sort",
          expect: { stdout: { equals: effectiveSettings(config.services.openssh) } },
        },
      ],
      persistent: [{ description: "the ssh server's identity", command: "cat /etc/ssh/ssh_host_*_key.pub" }],
      reboot: (config) => config.services.openssh.ports.map((port) => ({ type: "ssh", port })),
    },
  }),
});

/** What `sshd -T` prints of the two settings; it writes the older name of `prohibit-password`. */
function effectiveSettings(settings: {
  readonly permitRootLogin: string;
  readonly passwordAuthentication: boolean;
}): string {
  const root = settings.permitRootLogin === "prohibit-password" ? "without-password" : settings.permitRootLogin;
  return `passwordauthentication ${settings.passwordAuthentication ? "yes" : "no"}\npermitrootlogin ${root}\n`;
}
