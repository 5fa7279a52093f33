// @ts-check
/** Shows what was sent to an app's webhooks, sends again, and sends by hand. */

import { appPath, control } from "../core/server.js";
import { store } from "../core/state.js";
import { plural, t } from "../core/i18n.js";
import { attempt, say } from "./talk.js";

/** @typedef {import("../core/server.js").Delivery} Delivery */

/** What is heard while a page is on its way, for each page that is. @type {Set<Delivery[]>} */
const underWay = new Set();

/** @param {string} app */
export async function loadWebhooks(app) {
  if (store.get().webhooks.app !== app) store.set({ webhooks: { app, list: null, more: false } });
  const { page, heard } = await asked(`app_id=${encodeURIComponent(app)}&limit=50`);
  if (store.get().webhooks.app !== app) return;
  store.set({ webhooks: { app, list: heard.reduce(withOne, page?.data ?? []), more: page?.has_more ?? false } });
}

export async function moreWebhooks() {
  const { app, list } = store.get().webhooks;
  const last = list?.[list.length - 1];
  if (!last) return;
  const { page } = await asked(`app_id=${encodeURIComponent(app)}&limit=50&after=${last.id}`);
  const { app: shown, list: now } = store.get().webhooks;
  if (page && now && shown === app) store.set({ webhooks: { app, list: [...now, ...page.data], more: page.has_more } });
}

/** A delivery was made, sent or given up. @param {Delivery} delivery */
export function delivered(delivery) {
  const { app, list, more } = store.get().webhooks;
  if (delivery.app_id !== app) return;
  for (const heard of underWay) heard.push(delivery);
  if (list) store.set({ webhooks: { app, more, list: withOne(list, delivery) } });
}

/** Return a page and what was heard since it was asked for: the page may be older than that. @param {string} query */
async function asked(query) {
  /** @type {Delivery[]} */
  const heard = [];
  underWay.add(heard);
  const page = await attempt(() => control("GET", `/webhooks?${query}`));
  underWay.delete(heard);
  return { page, heard };
}

/** @param {Delivery[]} list @param {Delivery} delivery @returns {Delivery[]} */
function withOne(list, delivery) {
  const known = list.find((one) => one.id === delivery.id);
  if (!known) return [delivery, ...list];
  // The answer to a call may come after the event of what came of it.
  const newest = known.attempts.length > delivery.attempts.length ? known : delivery;
  return list.map((one) => (one === known ? newest : one));
}

/** @param {Delivery} delivery */
export async function redeliver(delivery) {
  const again = await attempt(() => control("POST", `/webhooks/${encodeURIComponent(delivery.id)}/redeliver`));
  if (!again) return;
  delivered(again);
  say(t("webhooks.again", { type: delivery.type }));
}

/** @param {string} app @param {string} type */
export async function sendWebhook(app, type) {
  const sent = await attempt(() => control("POST", appPath(app, "webhooks", "send"), { type }));
  if (!sent) return;
  for (const one of sent.data) delivered(one);
  say(t("webhooks.sent", { n: plural("receivers", sent.data.length), type }));
}
