/** A suite of a user's, with the package's global setup and fixture: what its report says. */

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { startSandbox, type Sandbox } from "dimedove-sandbox";
import { afterAll, beforeAll, expect, test } from "vitest";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "project");
const VITEST = join(PROJECT, "../../node_modules/vitest/vitest.mjs");

/** Run Vitest in the project and return what it says. */
function run(config: string, environ: Record<string, string> = {}): string {
  const env = { ...process.env, NO_COLOR: "1", VITEST: undefined, ...environ };
  const { stdout, stderr } = spawnSync(process.execPath, [VITEST, "run", "--root", PROJECT, "--config", config], {
    env,
  });
  return stdout.toString() + stderr.toString();
}

function ids(report: string): string[] {
  return [...report.matchAll(/^id: (\w+)$/gm)].map(([, id]) => id!).sort();
}

let first: string;
let running: Sandbox;

beforeAll(async () => {
  first = run("vitest.config.ts");
  running = await startSandbox();
}, 60_000);

afterAll(() => running.stop());

test("a failed test shows what its app got, and what was never used", () => {
  expect(first).toMatch(
    new RegExp(
      [
        "AssertionError: expected 'Support' to be 'Soutien'.*",
        "",
        "Requests of app_a_misspelt_title_is_noticed_\\w+:",
        "GET {4}/v1/\\w+/config  404",
        " +No such path.",
        "POST {3}…/conversations  200",
        " +unknown field `titel` \\(did you mean `title`\\?\\)",
        'still waiting, never used: {.*"kind":"reset".*',
      ].join("\n"),
    ),
  );
  expect(first).toContain("1 failed | 2 passed");
});

test("the run says what of the contract its tests have met, all together", () => {
  expect(first).toMatch(/Coverage of the contract, by 3 requests:\noperations: 1 of 10; never list_conversations, /);
  expect(first).toMatch(/create_conversation: request fields: 1 of 3; never external_user_id, metadata/);
});

test("tests of one name have apps of their own, with the same ids in each run", () => {
  expect(new Set(ids(first)).size).toBe(2);
  expect(ids(run("vitest.config.ts"))).toEqual(ids(first));
});

test("on a server that others use too, ids are new in each run, and apps are deleted after their tests", async () => {
  const report = run("vitest.config.ts", { DIMEDOVE_SANDBOX_URL: running.url });
  expect(report).toContain("1 failed | 2 passed");
  expect(ids(report).filter((id) => ids(first).includes(id))).toEqual([]);
  const { data } = await running.control<{ data: { app_id: string }[] }>("GET", "/apps");
  expect(data.map((app) => app.app_id)).toEqual(["app_demo"]);
});

test("a server that ended by itself is reported at the end of the run", () => {
  const banner = 'console.log("Dimedove Sandbox on http://127.0.0.1:1/v1"); setTimeout(() => process.exit(7), 50)';
  const report = run("vitest.config.ts", { DIMEDOVE_SANDBOX_COMMAND: `"${process.execPath}" --eval '${banner}'` });
  expect(report).toContain("The sandbox ended by itself: exit code 7.");
});

test("a run without the global setup says what is missing", () => {
  expect(run("without-setup.config.ts")).toContain('No sandbox: add globalSetup: "dimedove-sandbox/vitest/setup"');
});
