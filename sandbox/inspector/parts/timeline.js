// @ts-check
/** A stream's events on a line of time: when each came, and how long the silence before it was. */

import { h } from "../core/dom.js";
import { duration, t } from "../core/i18n.js";
import { json } from "./json.js";

/** @typedef {import("../core/state.js").StreamEvent} StreamEvent */

const MOST = 400;

/** @param {StreamEvent[]} events @param {number} total @param {string} key */
export function timeline(events, total, key) {
  const end = Math.max(total, events[events.length - 1]?.at_ms ?? 0, 1);
  const gaps = events.map((event, at) => event.at_ms - (events[at - 1]?.at_ms ?? 0));
  const longest = Math.max(...gaps, 1);
  return h(
    "div",
    { class: "timeline" },
    h(
      "div",
      { class: "track", role: "img", "aria-label": t("timeline.label", { n: events.length, total: duration(end), longest: duration(longest) }) },
      events.slice(0, MOST).map((event, at) => h("i", { key: at, class: `tick ${kind(event.event)}`, style: { left: `${((100 * event.at_ms) / end).toFixed(2)}%` } })),
    ),
    h("div", { class: "scale", "aria-hidden": "true" }, h("span", null, "0"), h("span", null, duration(end / 2)), h("span", null, duration(end))),
    h("ol", { class: "events" }, events.slice(0, MOST).map((event, at) => line(event, gaps[at], longest, `${key}${at}`))),
    events.length > MOST && h("p", { class: "quiet" }, t("timeline.more", { n: events.length - MOST })),
  );
}

/** @param {StreamEvent} event @param {number} gap @param {number} longest @param {string} key */
function line(event, gap, longest, key) {
  return h(
    "li",
    { key },
    h(
      "details",
      null,
      h(
        "summary",
        null,
        h("span", { class: "at" }, duration(event.at_ms)),
        h("span", { class: "gap", title: t("timeline.gap") }, h("i", { style: { width: `${Math.max(2, (100 * gap) / longest)}%` } }), h("span", null, `+${duration(Math.max(0, gap))}`)),
        h("span", { class: `name ${kind(event.event)}` }, event.event.replace(/^response\./, "")),
        h("span", { class: "said" }, gist(event.data)),
      ),
      json(event.data),
    ),
  );
}

/** @param {string} name */
const kind = (name) => (/failed/.test(name) ? "bad" : /completed|created/.test(name) ? "edge" : /function_call/.test(name) ? "tool" : /data_spec/.test(name) ? "form" : "text");

/** The telling part of an event. @param {any} data */
function gist(data) {
  if (typeof data !== "object" || data === null) return String(data);
  const value = data.delta ?? data.text ?? data.name ?? data.error?.message ?? data.data?.patch?.path ?? data.item?.type ?? data.status ?? "";
  return String(value).slice(0, 160).replaceAll("\n", "↵");
}
