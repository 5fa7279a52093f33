// @ts-check
/** Tries an operation out, as it was filled in. */

import { apiKey, Refused, send } from "../core/server.js";
import { store } from "../core/state.js";
import { readEvents } from "../core/sse.js";
import { t } from "../core/i18n.js";

/** @param {string} method @param {string} path with its query @param {string | undefined} body */
export async function tryOut(method, path, body) {
  const began = performance.now();
  const passed = () => performance.now() - began;
  /** @type {import("../core/state.js").StreamEvent[]} */
  const events = [];
  store.set({ trial: { answer: null, status: null, ms: 0, events } });
  try {
    const answer = await send({ method, path, body, headers: { authorization: `Bearer ${apiKey()}` } });
    if (answer.headers.get("content-type")?.startsWith("text/event-stream") && answer.body) {
      for await (const { event, data } of readEvents(answer.body)) {
        events.push({ event, data: JSON.parse(data), at_ms: passed() });
        store.set({ trial: { answer: null, status: answer.status, ms: passed(), events: [...events] } });
      }
    } else store.set({ trial: { answer: await answer.text(), status: answer.status, ms: passed(), events } });
  } catch (error) {
    store.set({ trial: { answer: error instanceof Refused ? t("play.broken") : String(error), status: null, ms: passed(), events: [...events] } });
  }
}
