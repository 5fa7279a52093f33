// @ts-check
/** An app's webhooks: who is told, what was sent and what came back; again, or one by hand. */

import { h } from "../core/dom.js";
import { dateTime, duration, plural, t } from "../core/i18n.js";
import { appOf } from "../actions/apps.js";
import { moreWebhooks, redeliver, sendWebhook } from "../actions/webhooks.js";
import { json } from "../parts/json.js";
import { badge, button, field, statusBadge } from "../parts/pieces.js";
import { part } from "./entry.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/server.js").Delivery} Delivery */

const TYPES = ["chat.started", "chat.ended", "chat.human_required", "contact:insight.created", "contact:insight.updated", "contact:attribute.created", "contact:attribute.updated", "task.completed", "performance.recorded"];
const BADGES = { waiting: "stream", delivered: "good", failed: "fault", refused: "fault", dropped: "warning" };

/** @param {State} state @param {string} id */
export function webhooksView({ webhooks }, id) {
  const list = webhooks.app === id ? webhooks.list : null;
  return [
    part(t("webhooks.receivers"), null, null, receivers(id)),
    part(t("webhooks.send"), null, null, byHand(id)),
    part(
      t("webhooks.deliveries"),
      null,
      null,
      list === null ? h("p", { class: "quiet" }, t("loading")) : list.length === 0 ? h("p", { class: "quiet" }, t("webhooks.none")) : h("ul", { class: "items", "data-list": true }, list.map(delivery)),
    ),
    list !== null && webhooks.more && button(t("data.more"), moreWebhooks),
  ];
}

/** @param {string} id */
function receivers(id) {
  const set = appOf(id)?.settings.webhooks ?? [];
  if (set.length === 0) return h("p", { class: "quiet" }, t("webhooks.receivers.none"));
  return h("ul", { class: "plain-list" }, set.map((one) => h("li", { key: one.url }, h("details", null, h("summary", null, h("code", null, one.url), " ", !one.enabled && badge("warning", t("webhooks.off"))), json(one)))));
}

/** @param {string} id */
function byHand(id) {
  return h(
    "form",
    {
      class: "inline-form",
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        sendWebhook(id, event.target.elements.type.value);
      },
    },
    field(t("webhooks.type"), h("select", { name: "type" }, TYPES.map((type) => h("option", { key: type, value: type }, type)))),
    h("button", { type: "submit" }, t("webhooks.send.one")),
  );
}

/** @param {Delivery} one */
function delivery(one) {
  const last = one.attempts[one.attempts.length - 1];
  return h(
    "li",
    { key: one.id },
    h("p", { class: "facts" }, badge(BADGES[one.state], t(`webhooks.state.${one.state}`)), h("strong", null, one.type), last && statusBadge(last.status), h("span", { class: "quiet" }, dateTime(one.created)), h("code", { class: "quiet" }, one.url)),
    one.reason && h("p", null, one.reason),
    one.next_at !== null && h("p", { class: "quiet" }, t("webhooks.next", { at: dateTime(one.next_at) })),
    h("details", null, h("summary", { "data-item": true }, plural("attempts", one.attempts.length)), h("ol", { class: "plain-list" }, one.attempts.map(attempt)), json(one.body)),
    h("p", { class: "tools" }, button(t("webhooks.redeliver"), () => redeliver(one), { "aria-label": t("webhooks.redeliver.one", { type: one.type, id: one.id }) })),
  );
}

/** @param {Delivery["attempts"][number]} one @param {number} at */
function attempt(one, at) {
  return h("li", { key: at, class: "facts" }, statusBadge(one.status), h("span", null, dateTime(one.at)), h("span", { class: "quiet" }, duration(one.duration_ms)), one.lab && badge("fault", one.lab), one.error && h("span", null, one.error), one.signature && h("code", { class: "quiet mono" }, one.signature));
}
