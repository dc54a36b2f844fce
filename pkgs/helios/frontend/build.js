// Bundles the page into dist/: one script and one style sheet, as small as they get, and the document that names them.
import { copyFile } from "node:fs/promises";
import { build } from "esbuild";

const { warnings } = await build({
  entryPoints: ["page.js", "style.css"],
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  // Top-level await is what the page starts with.
  target: "es2022",
  legalComments: "none",
});
if (warnings.length > 0) process.exit(1);
await copyFile("index.html", "dist/index.html");
