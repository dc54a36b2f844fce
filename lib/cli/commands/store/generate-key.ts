import * as Argument from "effect/cli/Argument";
import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import { lazily } from "../../lazily.ts";

/** `store generate-key`: makes a key for signing binary caches. */
export const generateKeyCommand = Command.make(
  "generate-key",
  {
    name: Argument.String("name").pipe(Argument.withDescription("Whose key it is, such as cache.example.org-1")),
    secretKeyFile: Flag.String("secret-key-file").pipe(
      Flag.withDescription("Where to write the secret key; NAME.secret by default"),
      Flag.withMetavar("FILE"),
      Flag.optional,
    ),
  },
  (input) =>
    lazily(
      () => import("../../actions/store/generate-key.ts"),
      ({ generateKey }) => generateKey(input),
    ),
).pipe(
  Command.withDescription("Make a key for signing; writes the secret one to a file and prints the public one"),
  Command.withExamples([
    { command: "tsx flake.ts store generate-key cache.example.org-1", description: "Make a key for a new cache" },
  ]),
);
