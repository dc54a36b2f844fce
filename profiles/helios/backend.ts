import { join } from "node:path";
import { defineModule } from "#lib/evaluator/index.ts";

/** What every artifact of HeliOS's own Cargo workspace has. */
export const backend = {
  workspace_dir: join(import.meta.dirname, "../../pkgs/helios/backend"),
  check_ids: ["helios-tests"],
} as const;

/** The unit tests of HeliOS's programs: on the build machine, offline, before any of them is built for the target. */
export default defineModule({
  name: "profiles/helios/backend",
  config: {
    program: {
      checks: [
        {
          id: "helios-tests",
          // The engine's tests load the plugins, which `cargo test` alone does not build.
          run: [
            "sh",
            "-ec",
            "cargo build --workspace --locked --quiet; cargo test --workspace --locked --quiet --no-fail-fast",
          ],
          cwd: backend.workspace_dir,
          // Nobody looks into these programs, and it halves the time.
          env: { CARGO_PROFILE_DEV_DEBUG: "0" },
          environment: "native-rust",
          applies_to: ["rust"],
        },
      ],
    },
  },
});
