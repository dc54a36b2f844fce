import { join } from "node:path";
import { defineModule } from "#lib/evaluator/index.ts";

/** Where the HTTP server finds what it serves. */
export const frontendDirectory = "/opt/helios/frontend";

const directory = join(import.meta.dirname, "../../pkgs/helios/frontend");

/** The page that shows the system's state in a browser, bundled by esbuild under Node. */
export default defineModule({
  name: "profiles/helios/frontend",
  config: {
    program: {
      custom: {
        artifacts: [
          {
            id: "helios-frontend",
            cwd: directory,
            environment: "node",
            npm_lock: join(directory, "package-lock.json"),
            build_command: ["node", "build.js"],
            output_path: "dist",
            kind: "dir",
          },
        ],
      },
      install: { items: [{ artifact: "helios-frontend", dest: frontendDirectory }] },
    },
    tests: {
      boot: [
        {
          description: "the frontend is bundled",
          command: `ls ${frontendDirectory} && grep -c import ${frontendDirectory}/page.js`,
          expect: { status: 1, stdout: { equals: "index.html\npage.js\nstyle.css\n0\n" } },
        },
      ],
    },
  },
});
