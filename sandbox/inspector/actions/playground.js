// @ts-check
/** Talks to the agent as a client would, and keeps what came: as a chat, and event by event. */

import { api, appPath, control, Refused, said, send } from "../core/server.js";
import { NO_PLAY, setPlay, store } from "../core/state.js";
import { go, linkTo } from "../core/route.js";
import { readEvents } from "../core/sse.js";
import { t } from "../core/i18n.js";
import { partsOfEvents, partsOfItem, partsOfOutput } from "../parts/reply.js";
import { attempt, complain } from "./talk.js";
import { loadApp, look } from "./apps.js";

/** @typedef {import("../core/state.js").Turn} Turn */
/** @typedef {import("../core/state.js").StreamEvent} StreamEvent */
/** @typedef {{stream: boolean, language: "" | "en-ca" | "fr-ca"}} Manner */

const MANNER = "dimedove.manner";
/** @type {AbortController | null} */
let running = null;
/** Another number: another conversation was opened, and what still comes belongs to none. */
let talk = 0;
/** The conversation that is being opened: what is said meanwhile goes there. */
let opening = Promise.resolve();

/** @returns {Manner} */
export function manner() {
  try {
    return { stream: true, language: "", ...JSON.parse(localStorage.getItem(MANNER) ?? "{}") };
  } catch {
    return { stream: true, language: "" };
  }
}

/** @param {Partial<Manner>} changes */
export function setManner(changes) {
  localStorage.setItem(MANNER, JSON.stringify({ ...manner(), ...changes }));
  setPlay({});
}

/** Open what the address names. Sends GETs alone. @param {string} app @param {string} [id] */
export async function openPlayground(app, id) {
  const { play } = store.get();
  if (play.app === app && play.conversation?.id === id && id) return;
  talk += 1;
  stop();
  setPlay({ ...NO_PLAY, app, ...(play.app === app && { list: play.list, more: play.more }) });
  loadApp(app);
  loadList(app);
  opening = id ? openConversation(app, id) : Promise.resolve();
  await opening;
}

/** @param {string} app @param {string} id */
async function openConversation(app, id) {
  try {
    const detail = await look(appPath(app, "conversations", id));
    const now = store.get().play;
    if (now.app !== app || store.get().route.parts[1] !== id) return;
    setPlay({ conversation: detail, turns: detail.items.map(turnOf) });
  } catch (error) {
    if (error instanceof Refused) setPlay({ error: error.message });
  }
}

/** @param {any} item @returns {Turn} */
const turnOf = (item) => ({ role: item.role, parts: partsOfItem(item.parts), state: "done", submitted: true });

/** @param {string} app */
async function loadList(app) {
  try {
    const page = await look(`${appPath(app, "conversations")}?limit=30`);
    if (store.get().play.app === app) setPlay({ list: page.data, more: page.has_more });
  } catch (error) {
    if (error instanceof Refused && store.get().play.app === app) setPlay({ list: [], error: error.message });
  }
}

/** Open a conversation without a word. @param {Record<string, unknown>} body */
export async function createConversation(body) {
  setPlay({ turns: [], events: [], answer: null });
  await attempt(() => create(body));
}

/** Create one and go there. @param {Record<string, unknown>} body @returns {Promise<string>} */
async function create(body) {
  const { app } = store.get().play;
  const { language } = manner();
  const metadata = { .../** @type {object} */ (body.metadata ?? {}), ...(language && { language }) };
  const created = await api("POST", appPath(app, "conversations"), { ...body, ...(Object.keys(metadata).length && { metadata }) });
  const { list } = store.get().play;
  setPlay({ conversation: created, error: null, list: [created, ...(list ?? [])] });
  go(linkTo("playground", [app, created.id]));
  return created.id;
}

export function stop() {
  running?.abort();
}

/** Say something to the agent; opens a conversation where none is open. @param {string} content */
export async function say(content) {
  if (store.get().play.busy || !content) return;
  const mine = talk;
  setPlay({ busy: true });
  await opening;
  if (mine !== talk) return;
  const { turns, conversation } = store.get().play;
  let id = conversation?.id;
  const asked = turns.map((turn) => ({ ...turn, submitted: true }));
  setPlay({ error: null, turns: [...asked, { role: "user", parts: [{ type: "text", text: content }], state: "done" }, { role: "assistant", parts: [], state: "streaming" }], events: [], answer: null, status: null, request: null });
  try {
    id ??= await create({});
    await exchange(store.get().play.app, id, content);
  } catch (error) {
    if (mine !== talk) return;
    const gone = error instanceof DOMException && error.name === "AbortError";
    // Whatever else happens on the way is the connection breaking, which faults are there to do.
    if (error instanceof Refused && error.status >= 400) end("failed", t("play.refused", { status: error.status, message: error.message }));
    else end("cut", gone ? t("play.stopped") : t("play.broken"));
  }
  if (mine !== talk) return;
  setPlay({ busy: false });
  if (id) await refresh(id);
}

/** @param {string} app @param {string} id @param {string} content */
async function exchange(app, id, content) {
  const { stream, language } = manner();
  const known = /** @type {any} */ (store.get().play.conversation)?.metadata ?? {};
  const metadata = language && known.language !== language ? { metadata: { ...known, language } } : {};
  const began = performance.now();
  running = new AbortController();
  const body = JSON.stringify({ message: { role: "user", content }, stream, ...metadata });
  const answer = await send({ method: "POST", path: `/v1${appPath(app, "conversations", id)}`, body, signal: running.signal });
  setPlay({ status: answer.status, request: answer.headers.get("sandbox-request-id") });
  if (!answer.ok) {
    const text = await said(answer);
    return end("failed", t("play.refused", { status: answer.status, message: text }));
  }
  if (answer.headers.get("content-type")?.startsWith("text/event-stream") && answer.body) return await follow(answer.body, began);
  const whole = await answer.json();
  setPlay({ answer: whole });
  if (!Array.isArray(whole?.output)) return end("failed", t("play.odd"));
  last({ parts: partsOfOutput(whole.output) });
  end(whole.status === "failed" ? "failed" : "done", whole.status === "failed" ? t("play.failed") : undefined);
}

/** @param {ReadableStream<Uint8Array>} body @param {number} began */
async function follow(body, began) {
  /** @type {StreamEvent[]} */
  const events = [];
  for await (const { event, data } of readEvents(body)) {
    events.push({ event, data: parsed(data), at_ms: performance.now() - began });
    setPlay({ events: [...events] });
    last({ parts: partsOfEvents(events) });
  }
  const final = events[events.length - 1];
  if (final?.event === "response.completed") end("done");
  else if (final?.event === "response.failed") end("failed", final.data?.error?.message ?? t("play.failed"));
  else end("cut", t("play.broken"));
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Change the last turn. @param {Partial<Turn>} changes */
function last(changes) {
  const { turns } = store.get().play;
  setPlay({ turns: [...turns.slice(0, -1), { ...turns[turns.length - 1], ...changes }] });
}

/** @param {Turn["state"]} state @param {string} [note] */
const end = (state, note) => last({ state, note });

/** Titles may have come with the first answer. @param {string} id */
async function refresh(id) {
  const { app, list } = store.get().play;
  try {
    const { items, ...conversation } = await look(appPath(app, "conversations", id));
    if (store.get().play.app !== app) return;
    setPlay({ conversation, list: (list ?? []).map((one) => (one.id === id ? conversation : one)) });
  } catch (error) {
    if (!(error instanceof Refused)) complain(error);
  }
}

/** Change a setting of the app, from the switches. @param {Record<string, unknown>} changes */
export async function tune(changes) {
  const { app } = store.get().play;
  await attempt(() => control("PATCH", appPath(app), changes));
  await loadApp(app);
}
