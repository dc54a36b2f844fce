/** What a build needs once there is something to build; loaded only then. */
export { recordBuild } from "./inspect/build-record.ts";
export { realise } from "./realise.ts";
export { makeSession } from "./session.ts";
