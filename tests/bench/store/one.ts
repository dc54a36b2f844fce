/**
 * Measures one thing in a process that has done nothing else: `one.ts <work> <tool root> <name>`. Prints CPU seconds,
 * wall seconds and the peak of memory in MiB as JSON.
 */
import { setTimeout } from "node:timers/promises";
import { measurementsIn } from "./measurements.ts";

const [work = "", tools = "", wanted] = process.argv.slice(2);
const measurement = measurementsIn(work, tools).find(({ name }) => name === wanted);
if (measurement === undefined || typeof measurement.ours !== "function") throw new Error(`nothing is named ${wanted}`);
const run = await measurement.ours();
// The compiler's threads still work on what was just loaded.
await setTimeout(300);
const before = process.cpuUsage();
const start = performance.now();
await run();
const { user, system } = process.cpuUsage(before);
const wall = (performance.now() - start) / 1e3;
console.log(JSON.stringify({ cpu: (user + system) / 1e6, wall, peak: process.resourceUsage().maxRSS / 1024 }));
