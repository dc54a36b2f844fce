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
  },
});
