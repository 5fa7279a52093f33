/** Texts of a failing test's report, made from the responses of the sandbox. */

import type { App } from "./app.js";
import { messageOf } from "./http.js";
import type { Entry, VerifyResult, Wanted } from "./types.js";

const MAX_ENTRIES = 20;
const STRAYS = "/requests?limit=100";

type Question = Omit<Wanted, "within"> & { app_id: string; within_ms?: number };

/** Return the text of a failed `verify`; `closest` is the entry that came nearest. */
export function describeVerify(question: Question, result: VerifyResult, closest: Entry | null): string {
  const { times = { min: 1 }, within_ms: within, ...wanted } = question;
  const { min, max } = typeof times === "number" ? { min: times, max: times } : times;
  const bounds = min === max ? `exactly ${min}` : max === undefined ? `at least ${min}` : `from ${min ?? 0} to ${max}`;
  const wait = within === undefined ? "" : ` within ${within} ms`;
  const lines = [`expected ${bounds} matching requests${wait}, got ${result.count}:`];
  for (const [name, value] of Object.entries(wanted)) lines.push(`    ${name}: ${JSON.stringify(value)}`);
  if (result.verified === null) {
    lines.push(`${result.evicted} entries that could match are no longer in the journal: the result is unknown.`);
  } else if (closest && result.count < (min ?? 0)) {
    lines.push(`the closest request: ${line(closest, question.app_id)}`);
    for (const { place, expected, ...miss } of result.closest?.misses ?? []) {
      const got = "got" in miss ? `got ${JSON.stringify(miss.got)}` : "got nothing";
      lines.push(`    ${place}: expected ${JSON.stringify(expected)}, ${got}`);
    }
  }
  return lines.join("\n");
}

/** Return the last requests of an app, a line each, and the faults and replies that were never used. */
export async function describeApp(app: App): Promise<string> {
  const { data: newest } = await app.sandbox.control<{ data: Entry[] }>("GET", STRAYS);
  // Requests outside the API belong to no app, but name it.
  const strays = newest.reverse().filter((entry) => entry.app_id === null && entry.path.includes(app.appId));
  const entries = [...strays, ...(await app.requests())].slice(-MAX_ENTRIES);
  const waiting = [...(await app.faults()), ...(await app.replies())].filter(({ used }) => !used);
  const sent = entries.flatMap((entry) => [line(entry, app.appId), ...remarks(entry)]);
  const unused = waiting.map((each) => `still waiting, never used: ${JSON.stringify(each)}`);
  return [`Requests of ${app.appId}:`, ...(sent.length ? sent : ["no request came"]), ...unused].join("\n");
}

function remarks(entry: Entry): string[] {
  const problem = entry.violation ?? (entry.response ? messageOf(JSON.stringify(entry.response)) : undefined);
  // The response names the suggested path too.
  const warnings = entry.warnings.filter((warning) => !problem?.includes(warning));
  return [...(problem ? [problem] : []), ...warnings].map((remark) => `    ${remark}`);
}

/** Return a request in one line, without the common part of the paths. */
function line(entry: Entry, appId: string): string {
  const path = entry.path.replace(`/v1/apps/${appId}`, "…") + (entry.query && `?${entry.query}`);
  const ended = entry.ended === "complete" ? "" : `  ${(entry.ended ?? "under way").replace("_", " ")}`;
  const fault = entry.fault ? `  fault ${entry.fault}` : "";
  const failed = entry.reply_status === "failed" ? "  reply failed" : "";
  return `${entry.method.padEnd(6)} ${path}  ${entry.status ?? "no answer"}${fault}${ended}${failed}`;
}
