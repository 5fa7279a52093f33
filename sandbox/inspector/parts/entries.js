// @ts-check
/** What can be said of a journal entry, and which entries a filter leaves. */

/** @typedef {import("../core/server.js").Entry} Entry */
/** @typedef {Record<string, string>} Query */

/** Sent with what the page itself reads: a fault of its own that does nothing uses none of the queue. */
export const HARMLESS = "latency; ms=0";

/** @type {WeakMap<Entry, string>} */
const words = new WeakMap();
/** @type {{entries: Entry[] | null, query: string, found: Entry[]}} */
let last = { entries: null, query: "", found: [] };

/** Whether this page read it to show it. @param {Entry} entry */
export const isOwn = (entry) => entry.headers["sandbox-fault"] === HARMLESS && isFromHere(entry);

/** Whether this page sent it: from the playground, a replay, the contract. @param {Entry} entry */
export const isFromHere = (entry) => /\/_sandbox\/$/.test(entry.headers["referer"] ?? "");

/** What deserves attention; that the page itself is a browser is no news. @param {Entry} entry */
export const warningsOf = (entry) => (isFromHere(entry) ? entry.warnings.filter((one) => !one.startsWith("a secret key was sent by a browser")) : entry.warnings);

/** @param {Entry} entry */
export const faultOf = (entry) => (isOwn(entry) ? null : entry.fault);

/** @param {Entry} entry */
export const isStream = (entry) => Array.isArray(entry.response) && entry.response.length > 0 && entry.response.every((one) => one && typeof one === "object" && "at_ms" in one && "event" in one);

/** Whether it is not over yet. @param {Entry} entry */
export const isUnderWay = (entry) => entry.ended === null;

/** Whether the reply in its answer failed, whatever the status. @param {Entry} entry */
export const replyFailed = (entry) => entry.reply_status === "failed";

/** The class of a status, as it is filtered and coloured. @param {number | null} status */
export const statusClass = (status) => (status === null ? "none" : `${Math.floor(status / 100)}xx`);

/**
 * The entries that the filters leave; the same list for the same question.
 * @param {Entry[]} entries @param {Query} query @returns {Entry[]}
 */
export function chosen(entries, query) {
  const key = JSON.stringify([query.app, query.op, query.status, query.q, query.only, query.own]);
  if (last.entries !== entries || last.query !== key) last = { entries, query: key, found: entries.filter(matches(query)) };
  return last.found;
}

/** @param {Query} query @returns {(entry: Entry) => boolean} */
export function matches(query) {
  const wanted = (query.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return (entry) =>
    (query.own === "shown" || !isOwn(entry)) &&
    (!query.app || entry.app_id === query.app) &&
    (!query.op || (query.op === "none" ? entry.operation === null : entry.operation === query.op)) &&
    (!query.status || statusClass(entry.status) === query.status || String(entry.status) === query.status) &&
    (!query.only || isProblem(entry)) &&
    wanted.every((word) => textOf(entry).includes(word));
}

/** @param {Entry} entry */
export const isProblem = (entry) => Boolean(faultOf(entry) || entry.violation || warningsOf(entry).length || (entry.status ?? (isUnderWay(entry) ? 0 : 500)) >= 400 || replyFailed(entry) || (entry.ended ?? "complete") !== "complete");

/** @param {Entry} entry */
function textOf(entry) {
  let text = words.get(entry);
  if (text === undefined) {
    const { method, path, query, status, operation, fault, violation, warnings, body, response, id, reply_status: reply } = entry;
    text = JSON.stringify([id, method, path, query, status, operation, reply, fault, violation, warnings, body, response]).toLowerCase();
    words.set(entry, text);
  }
  return text;
}
