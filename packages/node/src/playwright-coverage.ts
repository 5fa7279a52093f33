/**
 * A reporter of Playwright: what of the contract the clients under test have met, at the end of the run.
 *
 *     reporter: [["list"], ["dimedove-sandbox/playwright/coverage"]]
 */

import type { Reporter } from "@playwright/test/reporter";

import { describeRun, newCoverageFile } from "./coverage.js";

/** Tells the fixtures in the workers where to count. */
export const FILE_VARIABLE = "DIMEDOVE_COVERAGE_FILE";

export default class CoverageReporter implements Reporter {
  /** Playwright calls this before it starts a worker, which inherits the variable. */
  async onBegin(): Promise<void> {
    process.env[FILE_VARIABLE] = await newCoverageFile();
  }

  async onEnd(): Promise<void> {
    console.log(`\n${await describeRun(process.env[FILE_VARIABLE] ?? "")}`);
  }

  /** So that Playwright's own reporter stays where no other is chosen. */
  printsToStdio(): boolean {
    return false;
  }
}
