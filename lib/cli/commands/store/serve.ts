import { defineCommand, argument, otherFlag, switchFlag, withFallback } from "../../command.ts";

/** `store serve`: serves a binary cache on the loopback interface. */
export const serveCommand = defineCommand({
  name: "serve",
  description: "Serve a binary cache to this machine until interrupted; prints its URL",
  examples: [
    {
      command: "npx tsx flake.ts store serve /srv/cache --port 8080",
      description: "Serve it at http://127.0.0.1:8080",
    },
  ],
  parameters: {
    directory: argument("directory", "Directory of the cache, as 'store push file://…' makes it"),
    port: withFallback(
      otherFlag("port", "TCP port; any free one by default", { expected: "a port from 0 to 65535", read: portOf }),
      0,
    ),
    writable: switchFlag("writable", "Accept what is pushed"),
  },
  run: async (_flake, input) => (await import("../../actions/store/serve.ts")).serve(input),
});

function portOf(text: string): number | undefined {
  const port = /^\d+$/.test(text) ? Number(text) : Infinity;
  return port <= 65_535 ? port : undefined;
}
