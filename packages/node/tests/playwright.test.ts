/** A suite of a user's for Playwright: what its report says. Tests with a browser are in examples/web. */

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { JSONReport, JSONReportTest } from "@playwright/test/reporter";
import { startSandbox } from "dimedove-sandbox";
import { beforeAll, expect, test } from "vitest";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "playwright");
const PLAYWRIGHT = join(PROJECT, "../../node_modules/@playwright/test/cli.js");

/** Run Playwright in the project and return its tests by their titles. */
function run(environ: Record<string, string> = {}): Record<string, JSONReportTest> {
  const env = { ...process.env, FORCE_COLOR: "0", ...environ };
  const { stdout } = spawnSync(process.execPath, [PLAYWRIGHT, "test", "--config", PROJECT], { env });
  const report = JSON.parse(stdout.toString()) as JSONReport;
  return Object.fromEntries(report.suites.flatMap(({ specs }) => specs).map(({ title, tests }) => [title, tests[0]!]));
}

let first: Record<string, JSONReportTest>;
beforeAll(() => void (first = run()), 60_000);

function printed(tests: Record<string, JSONReportTest>): string[] {
  const results = Object.values(tests).flatMap(({ results }) => results);
  return results.flatMap(({ stdout }) => stdout.map((entry) => ("text" in entry ? entry.text.trim() : ""))).sort();
}

test("a failed test has its app's requests attached, and a link to the inspector", () => {
  const { annotations, results } = first["a misspelt title is noticed"]!;
  const attached = Object.fromEntries(
    results[0]!.attachments.map(({ name, body }) => [name, Buffer.from(body ?? "", "base64").toString()]),
  );
  expect(attached["dimedove-requests"]).toMatch(
    /^Requests of app_a_misspelt_.*\nPOST {3}…\/conversations  200\n +unknown field `titel`/,
  );
  const { log } = JSON.parse(attached["dimedove-requests.har"]!) as { log: { entries: unknown[] } };
  expect(log.entries).toHaveLength(1);
  expect(annotations).toEqual([
    { type: "dimedove", description: expect.stringMatching(/\/_sandbox\/#\/requests\?app=app_a_misspelt_/) },
  ]);
});

test("what passes, or fails as expected, has nothing attached", () => {
  const tests = Object.values(first).filter(({ status }) => status === "expected");
  expect(tests).toHaveLength(3);
  const attached = tests.flatMap(({ results }) => results.flatMap(({ attachments }) => attachments));
  expect(attached.filter(({ name }) => name.startsWith("dimedove"))).toEqual([]);
});

test("apps have the same ids in each run, on servers with the seed of the config", () => {
  const [before, after] = [first, run()].map((tests) =>
    printed(tests)
      .map((line) => /app: (\S+) seed: 7$/.exec(line)?.[1])
      .sort(),
  );
  expect(after).toEqual(before);
  expect(new Set(before).size).toBe(2);
});

test("a reporter says what of the contract the tests of all workers have met", () => {
  const reporter = join(PROJECT, "../../dist/playwright-coverage.js");
  const { stdout } = spawnSync(process.execPath, [PLAYWRIGHT, "test", "--config", PROJECT, "--reporter", reporter]);
  expect(stdout.toString()).toMatch(
    /Coverage of the contract, by 4 requests:\noperations: 1 of 10; never list_conversations, /,
  );
  expect(stdout.toString()).toContain("1 failed");
});

test("a running server is shared by all workers, and left as it was", async () => {
  const running = await startSandbox();
  const lines = printed(run({ DIMEDOVE_SANDBOX_URL: running.url }));
  expect(lines.filter((line) => line.startsWith(`server: ${running.url} `))).toHaveLength(2);
  const { data } = await running.control<{ data: { app_id: string }[] }>("GET", "/apps");
  expect(data.map((app) => app.app_id)).toEqual(["app_demo"]);
  await running.stop();
});
