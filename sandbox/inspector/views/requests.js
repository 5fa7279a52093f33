// @ts-check
/** The list of requests: live, filtered, and smooth however long it is: only the rows in sight are made. */

import { h } from "../core/dom.js";
import { store } from "../core/state.js";
import { clockTime, duration, plural, t } from "../core/i18n.js";
import { become, go, linkTo } from "../core/route.js";
import { entryLink, exportHar, filter, forget, pause, ROW } from "../actions/requests.js";
import { chosen, faultOf, isFromHere, isStream, isUnderWay, replyFailed, warningsOf } from "../parts/entries.js";
import { OPERATIONS, shortName } from "../parts/contract.js";
import { badge, button, empty, entryStatus, methodBadge, select, toggle } from "../parts/pieces.js";
import { entryView } from "./entry.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/server.js").Entry} Entry */

const MARGIN = 8;

/** @param {State} state */
export function requestsView(state) {
  const list = chosen(state.entries, state.route.query);
  const id = state.route.parts[0];
  return h(
    "div",
    { class: `requests ${id ? "with-detail" : ""}` },
    h("section", { class: "list-pane", "aria-label": t("requests.title") }, toolbar(state, list.length), list.length ? rows(state, list) : nothing(state)),
    id && h("section", { class: "detail-pane", "aria-label": t("entry.title"), key: "detail" }, entryView(state, id)),
  );
}

/** @param {State} state @param {number} count */
function toolbar(state, count) {
  const { query } = state.route;
  const apps = [...new Set([...state.entries.map((entry) => entry.app_id), query.app].filter(Boolean))].map(String).sort();
  const filtered = query.q || query.app || query.op || query.status || query.only;
  return h(
    "div",
    { class: "toolbar", role: "search", "aria-label": t("filter.title") },
    h("input", {
      type: "search",
      "data-search": true,
      class: "search",
      placeholder: t("filter.text"),
      "aria-label": t("filter.text"),
      value: query.q ?? "",
      oninput: (/** @type {any} */ event) => filter("q", event.target.value),
    }),
    select(query.app ?? "", [["", t("filter.apps")], ...apps.map((app) => /** @type {[string, string]} */ ([app, app]))], (value) => filter("app", value), { "aria-label": t("filter.app") }),
    select(query.op ?? "", [["", t("filter.operations")], ...OPERATIONS.map((op) => /** @type {[string, string]} */ ([op, shortName(op) ?? op])), ["none", t("filter.no.operation")]], (value) => filter("op", value), { "aria-label": t("filter.operation") }),
    select(query.status ?? "", [["", t("filter.statuses")], ["2xx", "2xx"], ["4xx", "4xx"], ["5xx", "5xx"], ["none", t("status.none")]], (value) => filter("status", value), { "aria-label": t("filter.status") }),
    toggle(t("filter.problems"), query.only === "problems", (on) => filter("only", on ? "problems" : "")),
    toggle(t("filter.own"), query.own === "shown", (on) => filter("own", on ? "shown" : ""), { title: t("filter.own.hint") }),
    h(
      "div",
      { class: "tools" },
      h("span", { class: "count", role: "status" }, plural("requests", count), state.loading ? ` ${t("loading")}` : ""),
      filtered && button(t("filter.clear"), () => become(linkTo("requests", state.route.parts, { own: query.own }))),
      button(state.paused ? t("resume", { n: state.waiting.length }) : t("pause"), pause, { class: state.paused ? "on" : "", "aria-pressed": String(state.paused) }),
      button(t("har"), exportHar, { title: t("har.hint") }),
      button(t("forget"), forget, { title: query.app ? t("forget.app", { app: query.app }) : t("forget.all") }),
    ),
  );
}

/** @param {State} state @param {Entry[]} list */
function rows(state, list) {
  const { top, height } = state.scroll;
  const first = Math.max(0, Math.min(list.length - 1, Math.floor(top / ROW) - MARGIN));
  const last = Math.min(list.length, Math.ceil((top + height) / ROW) + MARGIN);
  const current = state.cursor && list.slice(first, last).some((entry) => entry.id === state.cursor) ? `row-${state.cursor}` : undefined;
  return [
    h("div", { class: "row head", "aria-hidden": "true", key: "head" }, ...["time", "method", "operation", "app", "status", "duration", "notes"].map((name) => h("span", { class: `c-${name}` }, t(/** @type {any} */ (`column.${name}`))))),
    h(
      "div",
      {
        key: "rows",
        class: "rows",
        role: "listbox",
        tabindex: "0",
        "data-rows": true,
        "aria-label": t("requests.list"),
        "aria-activedescendant": current,
        onscroll: (/** @type {any} */ event) => scrolled(event.target),
        ref: (/** @type {HTMLElement} */ element, /** @type {boolean} */ isNew) => settle(element, isNew),
      },
      h("div", { class: "spacer", role: "presentation", style: { height: `${list.length * ROW}px` } }, list.slice(first, last).map((entry, at) => row(state, entry, first + at, list.length))),
    ),
  ];
}

/** @param {HTMLElement} element */
function scrolled(element) {
  const { scroll } = store.get();
  if (Math.abs(scroll.top - element.scrollTop) > 1 || scroll.height !== element.clientHeight) store.set({ scroll: { top: element.scrollTop, height: element.clientHeight } });
}

/** Put the list where the state says. @param {HTMLElement} element @param {boolean} isNew */
function settle(element, isNew) {
  if (isNew) new ResizeObserver(() => scrolled(element)).observe(element);
  const { top } = store.get().scroll;
  if (Math.abs(element.scrollTop - top) > 1) element.scrollTop = top;
}

/** @param {State} state @param {Entry} entry @param {number} at @param {number} count */
function row(state, entry, at, count) {
  const opened = state.route.parts[0] === entry.id;
  const name = shortName(entry.operation) ?? entry.path;
  return h(
    "div",
    {
      key: entry.id,
      id: `row-${entry.id}`,
      class: `row ${opened ? "opened" : ""} ${state.cursor === entry.id ? "cursor" : ""}`,
      role: "option",
      "aria-selected": String(opened),
      "aria-setsize": String(count),
      "aria-posinset": String(at + 1),
      style: { transform: `translateY(${at * ROW}px)` },
      onclick: () => go(entryLink(entry.id)),
    },
    h("span", { class: "c-time" }, clockTime(entry.at)),
    h("span", { class: "c-method" }, methodBadge(entry.method)),
    h("span", { class: entry.operation ? "c-operation" : "c-operation mono", title: `${entry.method} ${entry.path}` }, name, entry.operation && h("span", { class: "c-path mono" }, ` ${pathOf(entry)}`)),
    h("span", { class: "c-app" }, entry.app_id ?? "–"),
    h("span", { class: "c-status" }, entryStatus(entry)),
    h("span", { class: "c-duration" }, duration(entry.duration_ms)),
    h("span", { class: "c-notes" }, badges(entry)),
  );
}

/** The path behind the app, which has a column of its own. @param {Entry} entry */
const pathOf = (entry) => entry.path.replace(/^\/v1\/apps\/[^/]+/, "") + (entry.query && `?${entry.query}`);

/** @param {Entry} entry */
export function badges(entry) {
  const fault = faultOf(entry);
  const warnings = warningsOf(entry);
  return [
    fault && badge("fault", `⚡ ${fault}`, t("badge.fault")),
    entry.violation && badge("violation", t("badge.violation"), entry.violation),
    warnings.length > 0 && badge("warning", plural("warnings", warnings.length), warnings.join("\n")),
    replyFailed(entry) && badge("fault", t("badge.failed"), t("badge.failed.hint")),
    isUnderWay(entry) && badge("open", t(entry.held_by === null ? "ended.none" : "held")),
    entry.ended === "client_gone" && badge("gone", t("ended.client_gone")),
    entry.ended === "cut" && !fault && badge("fault", t("ended.cut")),
    isStream(entry) && badge("stream", plural("events", /** @type {any[]} */ (entry.response).length), t("answer.stream")),
    isFromHere(entry) && badge("here", t("badge.here"), t("badge.here.hint")),
  ];
}

/** @param {State} state */
function nothing(state) {
  if (state.loading) return empty(t("loading"));
  if (state.entries.length) return empty(t("requests.filtered"), t("requests.filtered.hint"));
  const curl = `curl -s ${location.origin}/v1/apps/app_demo/conversations -H 'Authorization: Bearer sk_test_demo'`;
  return empty(t("requests.none"), t("requests.none.hint"), [h("pre", { tabindex: "0" }, h("code", null, curl)), h("p", null, h("a", { class: "button primary", href: "#/playground" }, t("requests.none.play")))]);
}
