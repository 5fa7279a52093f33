// @ts-check
/** Shows JSON in colours, or text as it is. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

/** @typedef {import("../core/dom.js").VNode} VNode */

const MOST = 200_000;
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** @type {WeakMap<object, Map<string, VNode>>} */
const made = new WeakMap();

/** @param {unknown} value @param {boolean} [raw] @returns {VNode} */
export function json(value, raw = false) {
  if (typeof value !== "object" || value === null) return build(value, raw);
  const kept = made.get(value) ?? new Map();
  made.set(value, kept);
  const key = `${raw}${document.documentElement.lang}`;
  if (!kept.has(key)) kept.set(key, build(value, raw));
  return kept.get(key);
}

/** @param {unknown} value @param {boolean} raw */
function build(value, raw) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, raw ? undefined : 2);
  const shown = text.slice(0, MOST);
  const coloured = typeof value === "string" || raw || text.length > MOST ? [shown] : tokens(shown);
  const more = text.length > MOST && h("p", { class: "quiet" }, t("json.cut", { n: text.length - MOST }));
  return h("div", { class: "json" }, h("pre", { tabindex: "0", class: raw ? "wrapped" : undefined, role: "region", "aria-label": t("json.label") }, h("code", null, coloured)), more);
}

/** @param {string} text */
function tokens(text) {
  /** @type {Array<VNode | string>} */
  const found = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) found.push(text.slice(at, match.index));
    const [whole, string, colon, word] = match;
    if (colon) found.push(h("span", { class: "j-key" }, string), colon);
    else found.push(h("span", { class: string ? "j-text" : word ? "j-word" : "j-number" }, whole));
    at = match.index + whole.length;
  }
  return [...found, text.slice(at)];
}
