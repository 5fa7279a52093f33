/**
 * Vitest's global setup: one server for the whole run.
 *
 *     export default defineConfig({ test: { globalSetup: "dimedove-sandbox/vitest/setup" } });
 */

import type { TestProject } from "vitest/node";

import { TOKEN_VARIABLE } from "./command.js";
import type { StartOptions } from "./process.js";
import { startSandbox } from "./sandbox.js";

/** What the workers of a run are told about its server. */
export interface ProvidedSandbox {
  url: string;
  source: string;
  token: string | undefined;
  isOwn: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    dimedoveSandbox: ProvidedSandbox;
  }
}

/** Return a global setup with options for the server, for a file of your own. */
export function createSetup(options: StartOptions = {}): (project: TestProject) => Promise<() => Promise<void>> {
  return async (project) => {
    const sandbox = await startSandbox(options);
    const { url, source, isOwn } = sandbox;
    project.provide("dimedoveSandbox", { url, source, isOwn, token: process.env[TOKEN_VARIABLE] });
    return async () => {
      if (sandbox.death) console.error(sandbox.death);
      await sandbox.stop();
    };
  };
}

export default createSetup();
