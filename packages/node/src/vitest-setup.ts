/**
 * Vitest's global setup: one server for the whole run.
 *
 *     export default defineConfig({ test: { globalSetup: "dimedove-sandbox/vitest/setup" } });
 */

import type { TestProject } from "vitest/node";

import { TOKEN_VARIABLE } from "./command.js";
import { describeRun, newCoverageFile } from "./coverage.js";
import type { StartOptions } from "./process.js";
import { startSandbox } from "./sandbox.js";

/** What the workers of a run are told about its server. */
export interface ProvidedSandbox {
  url: string;
  source: string;
  token: string | undefined;
  isOwn: boolean;
  coverageFile: string | undefined;
}

/** What a setup does. */
export interface SetupOptions extends StartOptions {
  /** Say at the end of the run what of the contract the clients under test have met, and never met. */
  coverage?: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    dimedoveSandbox: ProvidedSandbox;
  }
}

/** Return a global setup with options, for a file of your own. */
export function createSetup({ coverage = false, ...options }: SetupOptions = {}): (
  project: TestProject,
) => Promise<() => Promise<void>> {
  return async (project) => {
    const sandbox = await startSandbox(options);
    const { url, source, isOwn } = sandbox;
    const coverageFile = coverage ? await newCoverageFile() : undefined;
    project.provide("dimedoveSandbox", { url, source, isOwn, token: process.env[TOKEN_VARIABLE], coverageFile });
    return async () => {
      if (coverageFile) console.log(await describeRun(coverageFile));
      if (sandbox.death) console.error(sandbox.death);
      await sandbox.stop();
    };
  };
}

export default createSetup();
