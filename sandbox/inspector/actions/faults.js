// @ts-check
/** Queues faults and scripted replies, and shows what waits. */

import { appPath, control } from "../core/server.js";
import { store } from "../core/state.js";
import { t } from "../core/i18n.js";
import { attempt, say } from "./talk.js";

/** @param {string} app */
export async function openQueues(app) {
  if (store.get().queues.app !== app) store.set({ queues: { app, faults: null, replies: null } });
  const [faults, replies] = await Promise.all([attempt(() => control("GET", appPath(app, "faults"))), attempt(() => control("GET", appPath(app, "replies")))]);
  if (store.get().queues.app === app) store.set({ queues: { app, faults: faults?.data ?? [], replies: replies?.data ?? [] } });
}

/** @param {"faults" | "replies"} queue @param {Record<string, unknown>} what @returns {Promise<boolean>} */
export async function queue(queue, what) {
  const { app } = store.get().queues;
  const queued = await attempt(() => control("POST", appPath(app, queue), what));
  if (!queued) return false;
  say(t(queue === "faults" ? "fault.queued" : "reply.queued", { app }));
  await openQueues(app);
  return true;
}

/** Let go what holds a request: all that the same fault holds. @param {import("../core/server.js").Entry} entry */
export async function release({ app_id: app, held_by: fault }) {
  await attempt(() => control("POST", appPath(String(app), "faults", String(fault), "release")));
}

/** @param {"faults" | "replies"} queue @param {string} [id] */
export async function unqueue(queue, id) {
  const { app } = store.get().queues;
  await attempt(() => control("DELETE", appPath(app, queue, ...(id ? [id] : []))));
  await openQueues(app);
}
