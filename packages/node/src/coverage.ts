/** What of the contract the clients of a whole run have met: each test adds a line to a file, its end adds them up. */

import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { App } from "./app.js";
import type { Coverage } from "./types.js";

type Counts = { [name: string]: number };
type Numbers = { [name: string]: unknown };

/** Return the path of a new file, for the tests of a run. */
export async function newCoverageFile(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "dimedove-")), "coverage.jsonl");
}

/** Add what the client of an app has met. */
export async function keepCoverage(app: App, file: string): Promise<void> {
  await appendFile(file, `${JSON.stringify(await app.coverage())}\n`);
}

/** Return the coverage of all tests as text, and remove the file. */
export async function describeRun(file: string): Promise<string> {
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);
  await rm(dirname(file), { recursive: true });
  if (lines.length === 0) return "Coverage of the contract: no test had an app.";
  return describeCoverage(lines.map((line) => JSON.parse(line) as Coverage).reduce(mergeCoverage));
}

/** Return two coverages as one: all their numbers added up. */
export function mergeCoverage(one: Coverage, other: Coverage): Coverage {
  return { ...(merged(one, other) as Coverage), app_id: one.app_id === other.app_id ? one.app_id : null };
}

/** Return a coverage as text: a line a topic, with what was never met. */
export function describeCoverage(coverage: Coverage): string {
  const operations = Object.entries(coverage.operations).map(([name, parts]) => ({ name: plain(name), parts }));
  const called = operations.map(
    ({ name, parts }) => [name, Object.values(parts.statuses).reduce((a, b) => a + b, 0)] as const,
  );
  const calls: Counts = Object.fromEntries(called);
  const topics: [string, Counts][] = [["operations", calls]];
  for (const { name, parts } of operations) {
    if (calls[name])
      topics.push(
        ...Object.entries(parts).map(([part, counts]) => [`${name}: ${plain(part)}`, counts] as [string, Counts]),
      );
  }
  topics.push(["error types", coverage.error_types], ["events", coverage.events], ["framings", coverage.framings]);
  return [
    `Coverage of the contract, by ${coverage.requests} requests:`,
    ...topics.flatMap(([title, counts]) => line(title, counts)),
  ].join("\n");
}

function line(title: string, counts: Counts): string[] {
  const names = Object.keys(counts);
  const never = names.filter((name) => !counts[name]);
  const missing = never.length ? `; never ${never.join(", ")}` : "";
  return names.length ? [`${title}: ${names.length - never.length} of ${names.length}${missing}`] : [];
}

function merged(one: Numbers, other: Numbers): Numbers {
  const result = { ...one };
  for (const [name, value] of Object.entries(other)) {
    if (typeof value === "number") result[name] = ((one[name] as number | undefined) ?? 0) + value;
    else if (typeof value === "object" && value) result[name] = merged((one[name] ?? {}) as Numbers, value as Numbers);
  }
  return result;
}

function plain(name: string): string {
  return name.replace(/^apps_api_/, "").replaceAll("request_fields", "request fields");
}
