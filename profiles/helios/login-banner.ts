import { defineModule } from "#lib/evaluator/index.ts";

const issue = "/etc/issue.d/50-helios.issue";

/** What stands above the login prompt. agetty fills in the address itself, also when it changes later. */
export default defineModule({
  name: "profiles/helios/login-banner",
  config: {
    stage: {
      files: [
        {
          dst: "/etc/motd",
          content: (config) => `${config.build.distribution} ${config.build.version}\n`,
          replace: true,
        },
        {
          dst: issue,
          content: (config) =>
            `${config.build.distribution} ${config.build.version} on \\n, state at http://\\4:5801\n\n`,
        },
      ],
    },
    tests: {
      boot: (config) => [
        { type: "file", path: "/etc/motd", content: `${config.build.distribution} ${config.build.version}\n` },
        {
          description: "the login prompt names the system",
          // agetty wants a terminal.
          command: "script --quiet --command 'agetty --show-issue' /dev/null </dev/null",
          expect: {
            stdout: {
              matches: `${config.build.distribution} ${config.build.version} on ${config.networking.hostName}, state at http://`,
            },
          },
        },
      ],
    },
  },
});
