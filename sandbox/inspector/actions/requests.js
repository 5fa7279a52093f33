// @ts-check
/** What can be done in the list of requests. */

import { apiKey, control, Refused, send } from "../core/server.js";
import { store } from "../core/state.js";
import { become, go, linkTo } from "../core/route.js";
import { t } from "../core/i18n.js";
import { chosen, isUnderWay, matches } from "../parts/entries.js";
import { attempt, complain, copy, download, say } from "./talk.js";

/** @typedef {import("../core/server.js").Entry} Entry */

export const MOST = 10_000;
const PAGE = 100;
/** How often what is under way is read again, in milliseconds, and how many of them. */
const WATCH = 1000;
const MOST_WATCHED = 20;
/** What a page may not send, or what would not be the same. */
const LEFT_OUT = /^(host|connection|content-length|transfer-encoding|expect|user-agent|accept-encoding|origin|referer|cookie|dnt|te|upgrade.*|sec-.*|proxy-.*|access-control-.*)$/;

/** @type {Set<string>} */
let known = new Set();
let reading = 0;
/** What has come while the first page is on its way. @type {Entry[] | null} */
let since = null;

/** Read the journal anew, newest first, until it ends. */
export async function loadRequests() {
  const mine = (reading += 1);
  known = new Set(store.get().waiting.map((entry) => entry.id));
  since = [];
  store.set({ loading: true });
  let after = "";
  try {
    for (let first = true, more = true; more && known.size < MOST; first = false) {
      const page = await control("GET", `/requests?limit=${PAGE}${after}`);
      if (mine !== reading) return;
      const fresh = page.data.filter((/** @type {Entry} */ entry) => !known.has(entry.id));
      fresh.forEach((/** @type {Entry} */ entry) => known.add(entry.id));
      // The first page takes the place of all but what came meanwhile.
      store.set({ entries: [...((first && since) || store.get().entries), ...fresh] });
      since = null;
      more = page.has_more;
      after = `&after=${page.last_id}`;
    }
  } catch (error) {
    // The entry behind which we read on may have left the journal meanwhile.
    if (!(error instanceof Refused && error.status === 404)) complain(error);
  }
  if (mine === reading) store.set({ loading: false });
  watchSoon();
}

/** A request that has begun, or one that is over. @param {Entry} entry */
export function received(entry) {
  if (isUnderWay(entry)) watchSoon();
  if (known.has(entry.id)) return update(entry);
  known.add(entry.id);
  const { paused, waiting, entries, scroll } = store.get();
  if (paused) return store.set({ waiting: [entry, ...waiting].slice(0, MOST) });
  if (since) since = [entry, ...since];
  if (entries.length >= MOST) known.delete(entries[entries.length - 1].id);
  // Who has scrolled down reads: what comes above must not push that away.
  const top = scroll.top > 4 && matchesNow(entry) ? scroll.top + ROW : scroll.top;
  store.set({ entries: [entry, ...entries].slice(0, MOST), scroll: { ...scroll, top } });
}

/** Put what is known now of a request in place of what was known when it was under way; null: it is gone. @param {Entry | null} entry */
function update(entry, id = entry?.id) {
  const { waiting, entries, opened } = store.get();
  const changed = (/** @type {Entry[]} */ list) => {
    const at = list.findIndex((one) => one.id === id);
    if (at < 0 || !isUnderWay(list[at])) return list;
    return entry ? list.with(at, entry) : list.toSpliced(at, 1);
  };
  since = since && changed(since);
  store.set({ entries: changed(entries), waiting: changed(waiting), opened: opened?.id === id ? entry : opened });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

function watchSoon() {
  timer ??= setTimeout(watch, WATCH);
}

/** Read again what is under way: what was sent by now, and the fault that holds it. */
async function watch() {
  timer = undefined;
  const { entries, waiting, opened } = store.get();
  const open = [...entries, ...waiting, ...(opened ? [opened] : [])].filter(isUnderWay).slice(0, MOST_WATCHED);
  // Nobody sees a page that is hidden.
  await Promise.all(
    (document.hidden ? [] : open).map(async ({ id }) => {
      try {
        update(await control("GET", `/requests/${id}`));
      } catch (error) {
        if (error instanceof Refused && error.status === 404) update(null, id);
      }
    }),
  );
  if (open.length) watchSoon();
}

export const ROW = 38;

/** @param {Entry} entry */
const matchesNow = (entry) => matches(store.get().route.query)(entry);

export function pause() {
  const { paused, waiting, entries } = store.get();
  if (!paused) store.set({ paused: true });
  else store.set({ paused: false, waiting: [], entries: [...waiting, ...entries].slice(0, MOST) });
}

/** Change one filter; the address keeps it. @param {string} name @param {string} value */
export function filter(name, value) {
  const { parts, query } = store.get().route;
  store.set({ scroll: { ...store.get().scroll, top: 0 } });
  become(linkTo("requests", parts, { ...query, [name]: value }));
}

/** @param {string | undefined} id */
export const entryLink = (id) => linkTo("requests", [id], store.get().route.view === "requests" ? store.get().route.query : {});

/** @param {number} step */
export function moveCursor(step) {
  const { entries, route, cursor, scroll } = store.get();
  const list = chosen(entries, route.query);
  if (!list.length) return;
  const at = list.findIndex((entry) => entry.id === (cursor ?? route.parts[0]));
  const next = Math.max(0, Math.min(list.length - 1, at + step));
  const top = Math.min(next * ROW, Math.max(scroll.top, (next + 1) * ROW - scroll.height));
  store.set({ cursor: list[next].id, scroll: { ...scroll, top } });
  if (route.parts[0]) become(entryLink(list[next].id));
}

export function openCursor() {
  const { cursor } = store.get();
  if (cursor) go(entryLink(cursor));
}

/** Find the entry that the address names. @param {string} id */
export async function openEntry(id) {
  store.set({ cursor: id, missing: false });
  const { entries, waiting } = store.get();
  if ([...entries, ...waiting].some((entry) => entry.id === id)) return;
  try {
    store.set({ opened: await control("GET", `/requests/${encodeURIComponent(id)}`) });
    watchSoon();
  } catch (error) {
    if (error instanceof Refused && error.status === 404) store.set({ missing: true });
    else complain(error);
  }
}

export async function forget() {
  const app = store.get().route.query.app;
  await attempt(() => control("DELETE", `/requests${app ? `?app_id=${encodeURIComponent(app)}` : ""}`));
  store.set({ waiting: [] });
  await loadRequests();
}

export async function exportHar() {
  const { app, op } = store.get().route.query;
  const query = new URLSearchParams({ ...(app && { app_id: app }), ...(op && op !== "none" && { operation: op }) });
  const har = await attempt(() => control("GET", `/requests.har?${query}`));
  if (har) download("dimedove-sandbox.har", JSON.stringify(har, null, 2));
}

/** @param {Entry} entry */
export async function copyCurl(entry) {
  const command = await attempt(() => control("GET", `/requests/${entry.id}/curl`));
  if (command) await copy(command.trim());
}

/** Send it once more, with the page's own key in place of the redacted one. @param {Entry} entry */
export async function replay(entry) {
  /** @type {Record<string, string>} */
  const headers = {};
  for (const [name, value] of Object.entries(entry.headers)) if (!LEFT_OUT.test(name)) headers[name] = value;
  if (headers.authorization) headers.authorization = `Bearer ${apiKey()}`;
  const body = entry.body === null || /^(GET|HEAD)$/.test(entry.method) ? undefined : typeof entry.body === "string" ? entry.body : JSON.stringify(entry.body);
  try {
    const answer = await send({ method: entry.method, path: entry.path + (entry.query ? `?${entry.query}` : ""), headers, body });
    const id = answer.headers.get("sandbox-request-id");
    say(t("replayed", { status: answer.status }));
    await answer.text().catch(() => "");
    if (id) go(entryLink(id));
  } catch (error) {
    // No answer is what some faults are about; the journal has it.
    say(t("replayed.unanswered"), true);
  }
}
