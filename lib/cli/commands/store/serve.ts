import * as Argument from "effect/cli/Argument";
import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import { lazily } from "../../lazily.ts";

/** `store serve`: serves a binary cache on the loopback interface. */
export const serveCommand = Command.make(
  "serve",
  {
    directory: Argument.String("directory").pipe(
      Argument.withDescription("Directory of the cache, as 'store push file://…' makes it"),
    ),
    port: Flag.Int("port").pipe(Flag.withDescription("TCP port; any free one by default"), Flag.withDefault(0)),
    writable: Flag.Boolean("writable").pipe(Flag.withDescription("Accept what is pushed"), Flag.withDefault(false)),
  },
  (input) =>
    lazily(
      () => import("../../actions/store/serve.ts"),
      ({ serve }) => serve(input),
    ),
).pipe(
  Command.withDescription("Serve a binary cache to this machine until interrupted; prints its URL"),
  Command.withExamples([
    { command: "tsx flake.ts store serve /srv/cache --port 8080", description: "Serve it at http://127.0.0.1:8080" },
  ]),
);
