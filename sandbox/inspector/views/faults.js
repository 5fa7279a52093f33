// @ts-check
/** Break things: ready-made faults and scripted replies, what waits, and what was used when. */

import { h } from "../core/dom.js";
import { clockTime, plural, t } from "../core/i18n.js";
import { go, linkTo } from "../core/route.js";
import { queue, release, unqueue } from "../actions/faults.js";
import { FIRST_APP } from "../actions/open.js";
import { say } from "../actions/talk.js";
import { faultOf } from "../parts/entries.js";
import { OPERATIONS, shortName } from "../parts/contract.js";
import { FAULTS, GROUPS, REPLIES } from "../parts/ready.js";
import { json } from "../parts/json.js";
import { a, appPicker, badge, button, entryStatus, field } from "../parts/pieces.js";
import { part } from "./entry.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/server.js").QueuedFault} QueuedFault */
/** @typedef {import("../core/server.js").QueuedReply} QueuedReply */

/** @param {State} state */
export function faultsView(state) {
  const app = state.route.parts[0] ?? FIRST_APP;
  const replies = state.route.parts[1] === "replies";
  const apps = (state.apps ?? []).map((one) => one.app_id);
  const tab = (/** @type {string | undefined} */ name, /** @type {string} */ label, /** @type {boolean} */ on) => a(linkTo("faults", [app, name]), label, { class: "tab", "aria-current": on ? "page" : undefined });
  return h(
    "div",
    { class: "faults" },
    h(
      "div",
      { class: "toolbar" },
      h("span", { class: "label" }, t("app")),
      appPicker(app, apps, (chosen) => go(linkTo("faults", [chosen, state.route.parts[1]])), "fault-apps"),
      h("nav", { class: "tabs", "aria-label": t("view.faults") }, tab(undefined, t("faults.tab"), !replies), tab("replies", t("replies.tab"), replies)),
      a(linkTo("playground", [app]), t("faults.try"), { class: "button" }),
    ),
    h("div", { class: "columns" }, h("div", { class: "column wide", key: replies ? "replies" : "faults" }, replies ? replyMaker() : faultMaker()), h("div", { class: "column", tabindex: "0", role: "region", "aria-label": t("faults.waiting") }, replies ? waitingReplies(state) : [held(state, app), waitingFaults(state), history(state, app)])),
  );
}

/** The choices beside the ready-made ones. @param {HTMLElement} near @returns {{operation: string | null, times: number | null, skip: number}} */
function choices(near) {
  const value = (/** @type {string} */ name) => /** @type {HTMLSelectElement} */ (near.closest(".maker")?.querySelector(`[name=${name}]`))?.value ?? "";
  return { operation: value("operation") || null, times: value("times") === "ever" ? null : Number(value("times") || 1), skip: Number(value("skip") || 0) };
}

function timesField() {
  return field(t("times"), h("select", { name: "times" }, [1, 2, 3, 10].map((n) => h("option", { value: n }, plural("times", n))), h("option", { value: "ever" }, t("times.ever"))));
}

function faultMaker() {
  return h(
    "div",
    { class: "maker" },
    h("p", { class: "lead" }, t("faults.lead")),
    h(
      "div",
      { class: "choices" },
      field(t("fault.on"), h("select", { name: "operation" }, h("option", { value: "" }, t("operation.any")), OPERATIONS.map((op) => h("option", { value: op }, shortName(op))))),
      timesField(),
      field(t("fault.skip"), h("input", { name: "skip", type: "number", min: "0", initial: "0" })),
    ),
    GROUPS.map((group) => [
      h("h2", { class: "small" }, t(/** @type {any} */ (`ready.group.${group}`))),
      h(
        "div",
        { class: "cards" },
        FAULTS.filter((one) => one.group === group).map(({ name, fault }) =>
          h(
            "button",
            { type: "button", class: "card", "data-fault": fault.kind, onclick: (/** @type {any} */ event) => queue("faults", { ...choices(event.target), ...fault }) },
            h("strong", null, t(/** @type {any} */ (`ready.${name}`))),
            h("span", { class: "quiet" }, t(/** @type {any} */ (`ready.${name}.hint`))),
            h("code", null, summary(fault)),
          ),
        ),
      ),
    ]),
    own("faults", t("faults.own"), { kind: "status", status: 418, body: { error: "teapot" }, times: 1, probability: 0.5 }),
  );
}

function replyMaker() {
  return h(
    "div",
    { class: "maker" },
    h("p", { class: "lead" }, t("replies.lead")),
    h("div", { class: "choices" }, field(t("reply.contains"), h("input", { name: "contains", placeholder: t("reply.contains.any") })), timesField()),
    h(
      "div",
      { class: "cards" },
      REPLIES.map(({ name, output }) =>
        h(
          "button",
          {
            type: "button",
            class: "card",
            onclick: (/** @type {any} */ event) => {
              const contains = event.target.closest(".maker").querySelector("[name=contains]").value.trim() || null;
              queue("replies", { contains, times: choices(event.target).times, output });
            },
          },
          h("strong", null, t(/** @type {any} */ (`reply.${name}`))),
          h("span", { class: "quiet" }, output.map((item) => item.text ?? item.name ?? item.title ?? item.message).join(" · ")),
          h("code", null, output.map((item) => item.type).join(" + ")),
        ),
      ),
    ),
    own("replies", t("replies.own"), { contains: "appointment", output: [{ type: "message", text: "…" }] }),
  );
}

/** @param {"faults" | "replies"} where @param {string} title @param {any} first */
function own(where, title, first) {
  return h(
    "details",
    { class: "own" },
    h("summary", null, title),
    h(
      "form",
      {
        onsubmit: (/** @type {any} */ event) => {
          event.preventDefault();
          try {
            queue(where, JSON.parse(event.target.elements.json.value));
          } catch (error) {
            say(t("json.bad", { why: String(/** @type {any} */ (error).message) }), true);
          }
        },
      },
      h("textarea", { name: "json", rows: "10", class: "mono", spellcheck: "false", "aria-label": title, initial: JSON.stringify(first, null, 2) }),
      h("p", null, h("button", { type: "submit", class: "primary" }, t("queue")), " ", a(linkTo("contract"), t("law.open"), { class: "quiet" })),
    ),
  );
}

/** @param {Record<string, any>} fault */
function summary({ kind, id, operation, times, skip, probability, used, ...fields }) {
  const said = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`);
  return [kind, ...said].join(" ");
}

/** The requests that faults hold until they are released; such a fault may be used up. @param {State} state @param {string} app */
function held(state, app) {
  const entries = state.entries.filter((entry) => entry.app_id === app && entry.held_by !== null);
  if (!entries.length) return null;
  return part(t("held.title"), null, null, h("ul", { class: "queue" }, entries.map((entry) => h("li", { key: entry.id, class: "held" }, usedLine(entry, app), button(t("release"), () => release(entry), { class: "primary", title: t("release.hint") })))));
}

/** @param {State} state */
function waitingFaults({ queues: { faults } }) {
  const clear = faults?.length ? button(t("queue.clear"), () => unqueue("faults")) : null;
  return part(t("faults.waiting"), null, clear, faults === null ? h("p", { class: "quiet" }, t("loading")) : faults.length === 0 ? h("p", { class: "quiet" }, t("faults.none")) : h("ul", { class: "queue" }, faults.map(faultLine)));
}

/** @param {QueuedFault} fault */
function faultLine(fault) {
  return h(
    "li",
    { key: fault.id },
    h("div", null, h("strong", null, badge("fault", fault.kind)), " ", h("span", null, shortName(fault.operation) ?? t("operation.any"))),
    h("div", { class: "quiet" }, h("code", null, summary(fault))),
    h("div", { class: "quiet" }, fault.times === null ? t("times.ever") : plural("left", fault.times), " · ", plural("used", fault.used), fault.skip ? ` · ${plural("skipped", fault.skip)}` : "", fault.probability < 1 && ` · p = ${fault.probability}`),
    button("×", () => unqueue("faults", fault.id), { class: "plain", "aria-label": t("queue.remove", { what: fault.kind }) }),
  );
}

/** @param {State} state @param {string} app */
function history(state, app) {
  const used = state.entries.filter((entry) => entry.app_id === app && faultOf(entry)).slice(0, 50);
  return part(
    t("faults.used"),
    null,
    null,
    used.length === 0
      ? h("p", { class: "quiet" }, t("faults.used.none"))
      : h("ul", { class: "queue", "data-list": true }, used.map((entry) => h("li", { key: entry.id }, usedLine(entry, app)))),
  );
}

/** @param {import("../core/server.js").Entry} entry @param {string} app */
const usedLine = (entry, app) => a(linkTo("requests", [entry.id], { app }), [h("span", null, clockTime(entry.at)), badge("fault", String(entry.fault)), h("span", null, shortName(entry.operation) ?? entry.path), entryStatus(entry)], { class: "used", "data-item": true });

/** @param {State} state */
function waitingReplies({ queues: { replies } }) {
  const clear = replies?.length ? button(t("queue.clear"), () => unqueue("replies")) : null;
  return part(t("replies.waiting"), null, clear, replies === null ? h("p", { class: "quiet" }, t("loading")) : replies.length === 0 ? h("p", { class: "quiet" }, t("replies.none")) : h("ul", { class: "queue" }, replies.map(replyLine)));
}

/** @param {QueuedReply} reply */
function replyLine(reply) {
  const when = reply.contains === null ? t("reply.contains.any") : [reply.contains].flat().join(", ");
  return h(
    "li",
    { key: reply.id },
    h("div", null, h("strong", null, when)),
    h("div", { class: "quiet" }, reply.times === null ? t("times.ever") : plural("left", reply.times), " · ", plural("used", reply.used)),
    h("details", null, h("summary", null, reply.output.map((item) => item.type).join(" + ") || "—"), json(reply.output)),
    button("×", () => unqueue("replies", reply.id), { class: "plain", "aria-label": t("queue.remove", { what: when }) }),
  );
}
