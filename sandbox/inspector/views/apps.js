// @ts-check
/** The apps: each a private world. What it is set to on one side, its data, verdict, coverage or webhooks on the other. */

import { h } from "../core/dom.js";
import { dateTime, number, plural, t } from "../core/i18n.js";
import { go, linkTo } from "../core/route.js";
import { appOf, deleteConversation, moreConversations, populate, reset } from "../actions/apps.js";
import { say } from "../actions/talk.js";
import { partsOfItem } from "../parts/reply.js";
import { json } from "../parts/json.js";
import { markdown } from "../parts/markdown.js";
import { a, appPicker, badge, button, empty, field } from "../parts/pieces.js";
import { part } from "./entry.js";
import { titleOf } from "./playground.js";
import { settingsColumn } from "./settings.js";
import { verdictView } from "./verdict.js";
import { coverageView } from "./coverage.js";
import { webhooksView } from "./webhooks.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/dom.js").Child} Child */

/** @param {State} state */
export function appsView(state) {
  const [id] = state.route.parts;
  return h(
    "div",
    { class: `apps ${id ? "with-detail" : ""}` },
    h("aside", { class: "side", "aria-label": t("view.apps") }, h("div", { class: "field" }, h("span", { class: "label" }, t("apps.open")), appPicker(id ?? "", (state.apps ?? []).map((app) => app.app_id), (app) => go(linkTo("apps", [app])), "all-apps")), list(state, id)),
    h("section", { class: "app", "aria-label": id ?? t("view.apps"), key: id ?? "none" }, id ? [head(state, id), h("div", { class: "columns" }, h("div", { class: "column wide" }, body(state, id)), h("div", { class: "column", tabindex: "0", role: "region", "aria-label": t("settings") }, settingsColumn(state, id)))] : empty(t("apps.choose"), t("apps.choose.hint"))),
  );
}

/** What stands beside the settings: the data, or what the address names. @param {State} state @param {string} id */
function body(state, id) {
  const [, what, which] = state.route.parts;
  if (what === "verdict") return verdictView(state, id);
  if (what === "coverage") return coverageView(state, id);
  if (what === "webhooks") return webhooksView(state, id);
  return what === "conversations" && which ? conversation(state, id) : data(state, id, what === "users" ? which : undefined);
}

/** @param {State} state @param {string} id */
function tabs(state, id) {
  const [, what] = state.route.parts;
  const open = what === "verdict" || what === "coverage" || what === "webhooks" ? what : "data";
  return h("nav", { class: "tabs", "aria-label": t("apps.tabs") }, ["data", "verdict", "coverage", "webhooks"].map((tab) => a(linkTo("apps", [id, tab === "data" ? "" : tab]), t(/** @type {any} */ (`apps.tab.${tab}`)), { class: "tab", key: tab, "aria-current": tab === open ? "page" : undefined })));
}

/** @param {State} state @param {string | undefined} id */
function list({ apps }, id) {
  if (apps === null) return h("p", { class: "quiet" }, t("loading"));
  return h(
    "ul",
    { class: "conversations", "data-list": true },
    apps.map((app) =>
      h("li", { key: app.app_id }, a(linkTo("apps", [app.app_id]), [h("span", { class: "name" }, app.app_id), h("span", { class: "quiet" }, `${plural("conversations", app.counts.conversations)} · ${plural("requests", app.counts.requests)}`)], { "data-item": true, "aria-current": app.app_id === id ? "true" : undefined })),
    ),
  );
}

/** @param {State} state @param {string} id */
function head(state, id) {
  const app = appOf(id);
  return h(
    "header",
    { class: "app-head" },
    a(linkTo("apps"), "×", { class: "close", "aria-label": t("close"), "data-close": true }),
    h("h2", null, id, " ", app && app.settings.status !== "live" && badge("fault", app.settings.status)),
    h("p", { class: "facts" }, a(linkTo("playground", [id]), t("view.playground")), a(linkTo("requests", [], { app: id }), t("view.requests")), a(linkTo("faults", [id]), t("view.faults"))),
    tabs(state, id),
    state.data.metrics &&
      h(
        "dl",
        { class: "metrics" },
        Object.entries(state.data.metrics).map(([name, value]) => h("div", null, h("dt", null, t(/** @type {any} */ (`metrics.${name}`))), h("dd", null, number(value)))),
        app && h("div", null, h("dt", null, t("metrics.requests")), h("dd", null, number(app.counts.requests))),
      ),
  );
}

/** @param {State} state @param {string} id @param {string | undefined} user */
function data({ data: known }, id, user) {
  const rows = known.conversations;
  const tools = h("span", { class: "tools" }, user !== undefined && a(linkTo("apps", [id]), t("data.all"), { class: "button" }), resetButton(id));
  return [
    populatePart(id),
    part(
      user === undefined ? t("data.conversations") : t("data.of.user", { user }),
      null,
      tools,
      known.error ? h("div", { class: "alert violation" }, known.error) : rows === null ? h("p", { class: "quiet" }, t("loading")) : rows.length === 0 ? h("p", { class: "quiet" }, t("data.none")) : table(id, rows),
    ),
    known.more && button(t("data.more"), () => moreConversations(id, user)),
  ];
}

/** @param {string} id @param {any[]} rows */
function table(id, rows) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": t("data.conversations") },
    h(
      "table",
      { class: "data", "data-list": true },
      h("thead", null, h("tr", null, ["title", "user", "created"].map((name) => h("th", { scope: "col" }, t(/** @type {any} */ (`data.${name}`)))))),
      h(
        "tbody",
        null,
        rows.map((one) =>
          h(
            "tr",
            { key: one.id },
            h("td", null, a(linkTo("apps", [id, "conversations", one.id]), titleOf(one), { "data-item": true })),
            h("td", null, one.external_user_id ? a(linkTo("apps", [id, "users", one.external_user_id]), one.external_user_id) : h("span", { class: "quiet" }, t("user.none"))),
            h("td", { class: "nowrap" }, dateTime(one.created_at)),
          ),
        ),
      ),
    ),
  );
}

/** @param {State} state @param {string} id */
function conversation({ data: { detail, error } }, id) {
  const back = a(linkTo("apps", [id]), `← ${t("data.conversations")}`, { class: "button" });
  if (!detail) return [back, error ? h("div", { class: "alert violation" }, error) : h("p", { class: "quiet" }, t("loading"))];
  const { items = [], ...rest } = detail;
  return [
    h("p", { class: "tools" }, back, a(linkTo("playground", [id, detail.id]), t("entry.in.playground"), { class: "button" }), button(t("data.delete"), () => deleteConversation(id, detail.id), { class: "danger" })),
    part(titleOf(detail), null, null, json(rest)),
    part(t("data.items"), plural("messages", items.length), null, h("ol", { class: "items" }, items.map(item))),
  ];
}

/** @param {any} one */
function item(one) {
  /** @type {Child[]} */
  const shown = partsOfItem(one.parts).map((piece) => (piece.type === "text" ? markdown(piece.text) : piece.type === "tool" ? h("p", null, "⚙ ", h("code", null, piece.name), " ", h("code", null, piece.args)) : h("details", null, h("summary", null, t("form.label")), json(piece.spec))));
  return h("li", { key: one.id, class: one.role }, h("p", { class: "quiet" }, h("strong", null, t(/** @type {any} */ (`role.${one.role}`))), ` · ${dateTime(one.created_at)} · `, h("code", null, one.id)), shown);
}

/** @param {string} id */
function populatePart(id) {
  return h(
    "form",
    {
      class: "inline-form",
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        const form = event.target.elements;
        const [user, conversations] = [form.user.value, Number(form.conversations.value)];
        populate(id, { conversations, ...(user ? { external_user_id: user } : { users: Number(form.users.value) }) });
      },
    },
    field(t("populate.conversations"), h("input", { name: "conversations", type: "number", min: "1", max: "10000", initial: "25", required: true })),
    field(t("populate.users"), h("input", { name: "users", type: "number", min: "1", max: "1000", initial: "10", required: true })),
    field(t("populate.user"), h("input", { name: "user", maxlength: "1000", placeholder: "user_abc123" })),
    h("button", { type: "submit" }, t("populate")),
  );
}

/** Asks once more in the same place. @param {string} id */
function resetButton(id) {
  return button(
    t("reset"),
    () => {
      const asked = /** @type {HTMLButtonElement} */ (document.querySelector("[data-reset]"));
      if (asked.dataset.reset === "sure") return reset(id);
      asked.dataset.reset = "sure";
      say(t("reset.sure", { app: id }));
      setTimeout(() => (asked.dataset.reset = ""), 4000);
    },
    { class: "danger", "data-reset": "", title: t("reset.hint") },
  );
}
