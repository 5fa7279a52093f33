// @ts-check
/** Shows what was sent to an app's webhooks, sends again, and sends by hand. */

import { appPath, control } from "../core/server.js";
import { store } from "../core/state.js";
import { plural, t } from "../core/i18n.js";
import { attempt, say } from "./talk.js";

/** @typedef {import("../core/server.js").Delivery} Delivery */

/** @param {string} app */
export async function loadWebhooks(app) {
  if (store.get().webhooks.app !== app) store.set({ webhooks: { app, list: null, more: false } });
  const page = await attempt(() => control("GET", `/webhooks?app_id=${encodeURIComponent(app)}&limit=50`));
  const { app: shown, list } = store.get().webhooks;
  if (shown === app) store.set({ webhooks: { app, list: joined(list ?? [], page?.data ?? []), more: page?.has_more ?? false } });
}

/** What a page says, but for what was heard since it was asked for. @param {Delivery[]} heard @param {Delivery[]} page */
function joined(heard, page) {
  const since = heard.slice(0, Math.max(0, heard.findIndex((one) => one.id === page[0]?.id)));
  return [...since, ...page.map((one) => newest(heard.find((known) => known.id === one.id), one))];
}

/** @param {Delivery | undefined} known @param {Delivery} other */
function newest(known, other) {
  return known && known.attempts.length > other.attempts.length ? known : other;
}

export async function moreWebhooks() {
  const { app, list } = store.get().webhooks;
  const last = list?.[list.length - 1];
  if (!list || !last) return;
  const page = await attempt(() => control("GET", `/webhooks?app_id=${encodeURIComponent(app)}&limit=50&after=${last.id}`));
  if (page && store.get().webhooks.app === app) store.set({ webhooks: { app, list: [...list, ...page.data], more: page.has_more } });
}

/** A delivery was made, sent or given up. @param {Delivery} delivery */
export function delivered(delivery) {
  const { app, list, more } = store.get().webhooks;
  if (!list || delivery.app_id !== app) return;
  const known = list.find((one) => one.id === delivery.id);
  // The answer to a call may come after the event of what came of it.
  const now = newest(known, delivery);
  store.set({ webhooks: { app, more, list: known ? list.map((one) => (one === known ? now : one)) : [now, ...list] } });
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
