import { join } from "node:path";
import { type Config, defineModule, mkIf } from "#lib/evaluator/index.ts";

const program = "/usr/libexec/helios/set-passwords";

/** Passwords that are no part of the image: the machine finds their hashes when it starts. */
export default defineModule({
  name: "passwords",
  config: mkIf((config) => Object.keys(sources(config)).length > 0, {
    services: {
      units: {
        "account-passwords.service": {
          unit: {
            Description: "Set the passwords that are kept outside of the image",
            Before: ["systemd-user-sessions.service"],
          },
          service: { Type: "oneshot", RemainAfterExit: true, ExecStart: program, ProtectHome: true, PrivateTmp: true },
          credentials: (config) => sources(config),
          wantedBy: ["multi-user.target"],
        },
      },
    },
    stage: { files: [{ dst: program, src: join(import.meta.dirname, "set-passwords.sh"), mode: "0755" }] },
  }),
});

/** Where the hash of each account's password is, by the account's name. */
function sources({ users: { users } }: Config) {
  return Object.fromEntries(
    Object.values(users).flatMap(({ name, hashedPasswordFrom }) =>
      hashedPasswordFrom === null ? [] : [[name, hashedPasswordFrom] as const],
    ),
  );
}
