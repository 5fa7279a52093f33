/** Vitest's `test` with an app of its own for each test; wants the global setup `dimedove-sandbox/vitest/setup`. */

import { randomUUID } from "node:crypto";

import { inject, test as base, type TestContext } from "vitest";

import type { App } from "./app.js";
import { keepCoverage } from "./coverage.js";
import { appId } from "./names.js";
import { describeApp } from "./report.js";
import { Sandbox } from "./sandbox.js";
import type {} from "./vitest-setup.js";

/** What a test gets. */
export interface DimedoveFixtures {
  /** A new app for this test, deleted after it; the report of a failed test has its requests. */
  dimedove: App;
}

/** The run's server. */
export function sandbox(): Sandbox {
  const provided = inject("dimedoveSandbox");
  if (!provided)
    throw new Error('No sandbox: add globalSetup: "dimedove-sandbox/vitest/setup" to the config of Vitest.');
  return new Sandbox(provided);
}

/** Vitest's `test`, with `dimedove` as a fixture. */
export const test = base.extend<DimedoveFixtures>({
  dimedove: async ({ task }, use) => {
    const server = sandbox();
    const { isOwn, coverageFile } = inject("dimedoveSandbox");
    const app = server.app(idOf(task, isOwn));
    await use(app);
    const failure = task.result?.errors?.at(-1);
    if (task.result?.state === "fail" && failure) {
      failure.message += `\n\n${await describeApp(app).catch(String)}`;
    }
    if (coverageFile) await keepCoverage(app, coverageFile);
    await app.delete();
  },
});

/**
 * Return the app id of a test.
 *
 * On a server of our own it is the same in every run, and so are the titles and replies.
 */
function idOf(task: TestContext["task"], isOwn: boolean): string {
  const name = fullName(task);
  return appId(task.name, isOwn ? `${task.file.name}\n${name}` : randomUUID());
}

/** Return the names of the suites around a test and its own, with its place among those of one name. */
function fullName(task: TestContext["task"]): string {
  const namesakes = (task.suite ?? task.file).tasks.filter(({ name }) => name === task.name);
  const suites: string[] = [];
  for (let suite = task.suite; suite; suite = suite.suite) suites.unshift(suite.name);
  return [...suites, task.name, namesakes.indexOf(task)].join("\n");
}
