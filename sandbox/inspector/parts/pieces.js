// @ts-check
/** The small pieces that every view is made of. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { isUnderWay, replyFailed, statusClass } from "./entries.js";

/** @typedef {import("../core/dom.js").Child} Child */
/** @typedef {import("../core/dom.js").Props} Props */
/** @typedef {import("../core/i18n.js").Word} Word */

/** @param {string} label @param {() => void} onclick @param {Props} [props] */
export const button = (label, onclick, props = {}) => h("button", { type: "button", onclick, ...props }, label);

/** @param {string} label @param {Child} control @param {string} [hint] */
export const field = (label, control, hint) => h("label", { class: "field" }, h("span", { class: "label" }, label), control, hint && h("span", { class: "hint" }, hint));

/**
 * @param {string} value @param {Array<[string, string]>} options value and what is shown
 * @param {(value: string) => void} chosen @param {Props} [props]
 */
export const select = (value, options, chosen, props = {}) =>
  h(
    "select",
    { onchange: (/** @type {any} */ event) => chosen(event.target.value), value, ...props },
    options.map(([key, label]) => h("option", { value: key, key, selected: key === value }, label)),
  );

/** @param {string} label @param {boolean} on @param {(on: boolean) => void} chosen @param {Props} [props] */
export const toggle = (label, on, chosen, props = {}) =>
  h("label", { class: "toggle" }, h("input", { type: "checkbox", role: "switch", checked: on, onchange: (/** @type {any} */ event) => chosen(event.target.checked), ...props }), h("span", null, label));

/** @param {number | null} status */
export const statusBadge = (status) => h("span", { class: `status s-${statusClass(status)}`, title: status === null ? t("status.none") : undefined }, status === null ? "—" : status);

/** The status of an entry: one under way has none yet, and a reply that failed is none to be glad of. @param {import("../core/server.js").Entry} entry */
export function entryStatus(entry) {
  if (entry.status === null && isUnderWay(entry)) return h("span", { class: "status s-open", title: t("ended.none") }, "…");
  return replyFailed(entry) ? h("span", { class: "status s-failed", title: t("badge.failed.hint") }, entry.status) : statusBadge(entry.status);
}

/** @param {string} method */
export const methodBadge = (method) => h("span", { class: `method m-${method.toLowerCase().replace(/[^a-z]/g, "")}` }, method);

/** @param {string} kind @param {string} text @param {string} [title] */
export const badge = (kind, text, title) => h("span", { class: `badge b-${kind}`, title }, text);

/** Where a fact comes from. @param {"S" | "V" | "D"} mark */
export const sourceMark = (mark) => h("abbr", { class: `mark mark-${mark}`, title: t(/** @type {Word} */ (`mark.${mark}`)) }, mark);

/** @param {string} title @param {Child} [text] @param {Child} [more] */
export const empty = (title, text, more) => h("div", { class: "empty" }, h("h2", null, title), text && h("p", null, text), more);

/** @param {string} href @param {Child} label @param {Props} [props] */
export const a = (href, label, props = {}) => h("a", { href, ...props }, label);

/** An input whose suggestions are the known apps. @param {string} value @param {string[]} apps @param {(app: string) => void} chosen @param {string} id */
export const appPicker = (value, apps, chosen, id) => [
  h("input", {
    key: `${id}:${value}`,
    initial: value,
    list: id,
    class: "app-picker",
    "aria-label": t("app.choose"),
    spellcheck: "false",
    autocomplete: "off",
    maxlength: "128",
    pattern: "[A-Za-z0-9._~\\-]+",
    onfocus: (/** @type {any} */ event) => event.target.select(),
    onchange: (/** @type {any} */ event) => event.target.checkValidity() && event.target.value && chosen(event.target.value),
  }),
  h("datalist", { id }, apps.map((app) => h("option", { value: app, key: app }))),
];
