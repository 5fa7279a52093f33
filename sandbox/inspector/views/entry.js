// @ts-check
/** One request: what was sent, what was answered, what is odd about it, and what the contract says. */

import { h } from "../core/dom.js";
import { store } from "../core/state.js";
import { dateTime, duration, plural, t } from "../core/i18n.js";
import { linkTo } from "../core/route.js";
import { release } from "../actions/faults.js";
import { copyCurl, entryLink, replay } from "../actions/requests.js";
import { copy } from "../actions/talk.js";
import { faultOf, isStream, isUnderWay, replyFailed, warningsOf } from "../parts/entries.js";
import { operation, schemaName, shortName } from "../parts/contract.js";
import { sentence } from "../parts/markdown.js";
import { json } from "../parts/json.js";
import { a, badge, button, empty, entryStatus, methodBadge, sourceMark, statusBadge, toggle } from "../parts/pieces.js";
import { timeline } from "../parts/timeline.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/server.js").Entry} Entry */

/** @param {State} state @param {string} id */
export function entryView(state, id) {
  const entry = [...state.entries, ...state.waiting].find((one) => one.id === id) ?? (state.opened?.id === id ? state.opened : null);
  const close = a(entryLink(undefined), "×", { class: "close", "aria-label": t("close"), title: `${t("close")} (Esc)`, "data-close": true });
  if (!entry) return [h("div", { class: "detail-head" }, close), empty(state.missing ? t("entry.missing") : t("loading"), state.missing ? t("entry.missing.hint") : null)];
  return [head(entry, close), h("div", { class: "detail-body", tabindex: "0", role: "region", "aria-label": t("entry.title"), key: entry.id }, alerts(entry), answer(state, entry), request(state, entry), law(state, entry))];
}

/** @param {Entry} entry @param {any} close */
function head(entry, close) {
  return h(
    "div",
    { class: "detail-head" },
    h("div", { class: "title-line" }, h("h2", null, shortName(entry.operation) ?? t("entry.unmatched")), close),
    h("p", { class: "target mono" }, methodBadge(entry.method), " ", entry.path, entry.query && `?${entry.query}`),
    h("p", { class: "facts" }, entryStatus(entry), h("span", null, duration(entry.duration_ms)), h("span", null, dateTime(entry.at)), entry.app_id && a(linkTo("apps", [entry.app_id]), entry.app_id), ended(entry)),
    h(
      "div",
      { class: "tools" },
      entry.held_by !== null && button(t("release"), () => release(entry), { class: "primary", title: t("release.hint") }),
      button(t("curl"), () => copyCurl(entry), { class: entry.held_by === null ? "primary" : "" }),
      button(t("replay"), () => replay(entry), { title: t("replay.hint") }),
      conversationLink(entry),
      button(t("copy.id"), () => copy(entry.id), { title: entry.id }),
    ),
  );
}

/** @param {Entry} entry */
const ended = (entry) => [
  replyFailed(entry) && badge("fault", t("badge.failed"), t("badge.failed.hint")),
  entry.ended === null ? badge("open", t(entry.held_by === null ? "ended.none" : "held")) : entry.ended !== "complete" && badge(entry.ended === "cut" ? "fault" : "gone", t(`ended.${entry.ended}`)),
];

/** @param {Entry} entry */
function conversationLink(entry) {
  const id = /\/conversations\/([0-9a-f-]{36})$/.exec(entry.path)?.[1] ?? /** @type {any} */ (entry.operation === "apps_api_create_conversation" ? entry.response : null)?.id;
  return entry.app_id && typeof id === "string" && a(linkTo("playground", [entry.app_id, id]), t("entry.in.playground"), { class: "button" });
}

/** @param {Entry} entry */
function alerts(entry) {
  const fault = faultOf(entry);
  return [
    fault && h("div", { class: "alert fault" }, h("strong", null, t("alert.fault")), " ", h("code", null, fault)),
    entry.violation && h("div", { class: "alert violation" }, h("strong", null, t("alert.violation")), h("p", null, entry.violation)),
    ...warningsOf(entry).map((warning) => h("div", { class: "alert warning" }, h("strong", null, t("alert.warning")), " ", sentence(warning))),
  ];
}

/** @param {State} state @param {Entry} entry */
function answer(state, entry) {
  const rawSwitch = toggle(t("raw"), state.raw, (raw) => store.set({ raw }));
  if (isStream(entry)) {
    const events = /** @type {any[]} */ (entry.response);
    return part(t("answer.stream"), plural("events", events.length), null, timeline(events, entry.duration_ms, entry.id));
  }
  return part(t("answer"), null, rawSwitch, entry.response === null ? h("p", { class: "quiet" }, t(isUnderWay(entry) ? "answer.none.yet" : "answer.none")) : json(entry.response, state.raw));
}

/** @param {State} state @param {Entry} entry */
function request(state, entry) {
  const names = Object.entries(entry.headers).sort(([one], [other]) => one.localeCompare(other));
  return [
    part(t("request.body"), null, null, entry.body === null ? h("p", { class: "quiet" }, t("request.body.none")) : json(entry.body, state.raw)),
    part(t("request.headers"), plural("headers", names.length), null, h("dl", { class: "headers" }, names.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]))),
  ];
}

/** @param {State} state @param {Entry} entry */
function law(state, entry) {
  const found = state.contract && entry.operation ? operation(state.contract, entry.operation) : null;
  if (!found) return null;
  const status = String(entry.status);
  const body = schemaName(found.body?.content?.["application/json"]?.schema);
  return part(
    t("law"),
    null,
    a(linkTo("contract", ["operation", found.id]), t("law.open")),
    h(
      "div",
      { class: "law" },
      h("p", null, sourceMark(found.source), found.decided && sourceMark("D"), " ", h("strong", null, found.summary), ". ", sentence(found.description)),
      body && h("p", null, t("law.body"), " ", a(linkTo("contract", ["schema", body]), body)),
      h("ul", { class: "statuses" }, found.responses.map(([code, response]) => h("li", { class: code === status ? "current" : "" }, statusBadge(Number(code)), " ", sentence(response.description), code === status && h("strong", null, ` ${t("law.this")}`)))),
    ),
  );
}

/** @param {string} title @param {string | null} note @param {any} tools @param {any} content */
export function part(title, note, tools, content) {
  return h("section", { class: "part" }, h("div", { class: "part-head" }, h("h3", null, title), note && h("span", { class: "quiet" }, note), tools), content);
}
