import { defineModule } from "#lib/evaluator/index.ts";

/** Remote access, by keys only: the operator has no password, and root none either. */
export default defineModule({
  name: "profiles/helios/ssh",
  config: {
    services: { openssh: { enable: true } },
    users: {
      users: {
        helios: { description: "HeliOS operator", uid: 1000, extraGroups: ["helios-ipc", "systemd-journal"] },
      },
    },
    tests: {
      boot: (config) => {
        const to = `-o BatchMode=yes -o StrictHostKeyChecking=accept-new -p ${config.services.openssh.ports[0]} helios@127.0.0.1`;
        const described = ["helios", "/home/helios", "helios", ...(config.users.users["helios"]?.extraGroups ?? [])];
        return [
          {
            description: "nobody logs in by ssh without a key",
            command: `ssh ${to} true 2>&1`,
            expect: { status: 255, stdout: { matches: "Permission denied \\(publickey\\)" } },
            timeout: 60,
          },
          {
            description: "the operator logs in by ssh with a key",
            command: [
              "home=$(getent passwd helios | cut -d: -f6) && ssh-keygen -q -t ed25519 -N '' -f /root/operator",
              "install -d -m 0700 -o helios -g helios $home/.ssh",
              "install -m 0600 -o helios -g helios /root/operator.pub $home/.ssh/authorized_keys",
              `ssh -i /root/operator ${to} 'id -un && pwd && id -Gn' | tr ' ' '\\n' | sort`,
            ].join(" && "),
            expect: {
              stdout: {
                equals: [...described]
                  .sort()
                  .map((line) => `${line}\n`)
                  .join(""),
              },
            },
            timeout: 60,
          },
        ];
      },
    },
  },
});
