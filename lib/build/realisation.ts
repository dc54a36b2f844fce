/** What a build needs once there is something to build; loaded only then. */
export { realise } from "./realise.ts";
export { makeSession } from "./session.ts";
