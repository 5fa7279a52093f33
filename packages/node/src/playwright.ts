/**
 * Playwright's `test` with a server for each worker and an app of its own for each test.
 *
 * A failed test has the app's requests attached: as text, as HAR, and as a link to the inspector.
 */

import { randomUUID } from "node:crypto";

import { test as base, type BrowserContext, type TestInfo } from "@playwright/test";

import type { App } from "./app.js";
import { startBackend } from "./backend.js";
import { keepCoverage } from "./coverage.js";
import { appId } from "./names.js";
import { FILE_VARIABLE } from "./playwright-coverage.js";
import type { StartOptions } from "./process.js";
import { describeApp } from "./report.js";
import { startSandbox, type Sandbox } from "./sandbox.js";

/** What a test gets, and what `use` of a config sets. */
export interface DimedoveFixtures {
  /** A new app for this test, deleted after it. */
  dimedove: App;
  /**
   * The path under which the pages call your backend, such as `/api/dimedove`: requests below it go to the test's app
   * instead, with its key, as your backend would send them (your own one is not asked). "", the default, leaves them.
   */
  dimedoveProxy: string;
}

/** What a worker gets, and what `use` of a config sets. */
export interface DimedoveWorkerFixtures {
  /** The worker's server. */
  sandbox: Sandbox;
  /** What that server is started with. */
  sandboxOptions: StartOptions;
}

/** Playwright's `test`, with `dimedove` as a fixture. */
export const test = base.extend<DimedoveFixtures, DimedoveWorkerFixtures>({
  sandboxOptions: [{}, { option: true, scope: "worker" }],
  sandbox: [
    async ({ sandboxOptions }, use) => {
      const sandbox = await startSandbox(sandboxOptions);
      await use(sandbox);
      await sandbox.stop();
    },
    { scope: "worker" },
  ],
  dimedoveProxy: ["", { option: true }],
  dimedove: async ({ sandbox }, use, info) => {
    const app = sandbox.app(idOf(info, sandbox.isOwn));
    await use(app);
    if (info.status !== info.expectedStatus) await attach(app, info);
    const coverageFile = process.env[FILE_VARIABLE];
    if (coverageFile) await keepCoverage(app, coverageFile);
    await app.delete();
  },
  context: async ({ context, dimedove, dimedoveProxy }, use) => {
    if (!dimedoveProxy) return use(context);
    const backend = await startBackend(dimedove);
    await redirect(context, dimedoveProxy, backend.url);
    await use(context);
    await backend.stop();
  },
});

export { expect } from "@playwright/test";

/**
 * Return the app id of a test.
 *
 * On a server of our own it is the same in every run, and so are the titles and replies.
 */
function idOf(info: TestInfo, isOwn: boolean): string {
  const attempt = `${info.repeatEachIndex}_${info.retry}`;
  return appId(info.title, isOwn ? `${info.testId}_${attempt}` : randomUUID());
}

/** Send the requests of pages below a path to another server. */
async function redirect(context: BrowserContext, path: string, server: string): Promise<void> {
  const prefix = path.replace(/\/$/, "");
  await context.route(
    (url) => url.pathname.startsWith(`${prefix}/`),
    (route) => {
      const { pathname, search } = new URL(route.request().url());
      return route.continue({ url: server + pathname.slice(prefix.length) + search });
    },
  );
}

/** Attach what explains a failure. */
async function attach(app: App, info: TestInfo): Promise<void> {
  const contentType = "text/plain";
  info.annotations.push({ type: "dimedove", description: app.inspectorUrl });
  await info.attach("dimedove-requests", { body: await describeApp(app).catch(String), contentType });
  await info.attach("dimedove-requests.har", { body: await app.har(), contentType: "application/json" });
}
