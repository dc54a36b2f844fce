/** Runs one script in a sandbox of its own and prints what it said: `sandbox-child.ts <script>`. */
import { makeSandboxRunner } from "./sandbox-runner.ts";

const runner = await makeSandboxRunner();
const { lines } = await runner.run(process.argv[2] ?? "");
console.log(lines.join("\n"));
await runner.remove();
