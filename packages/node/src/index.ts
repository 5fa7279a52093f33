/** Drives the Dimedove Sandbox: a server, and an app of its own for each test. */

export { App, Clock } from "./app.js";
export { describeCoverage, mergeCoverage } from "./coverage.js";
export { SandboxError } from "./http.js";
export type { StartOptions } from "./process.js";
export { Sandbox, startSandbox } from "./sandbox.js";
export type * from "./types.js";
