// @ts-check
/** Renders a form that the agent sent (json-render elements) and turns what was filled in into a message. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { field } from "./pieces.js";

/** @typedef {import("./reply.js").Spec} Spec */
/** @typedef {import("../core/dom.js").Child} Child */

const DEEPEST = 20;
const INPUT_TYPES = new Set(["text", "email", "tel", "number", "date", "time", "url", "password"]);

/** @param {Spec} spec @param {string} key @param {boolean} frozen @param {(message: string) => void} submitted */
export function form(spec, key, frozen, submitted) {
  return h(
    "form",
    {
      class: "agent-form",
      key,
      "aria-label": t("form.label"),
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        submitted(message(event.target));
      },
    },
    h("fieldset", { disabled: frozen }, element(spec, String(spec.root), 0, key)),
  );
}

/** @param {Spec} spec @param {string} id @param {number} depth @param {string} key @returns {Child} */
function element(spec, id, depth, key) {
  const found = Object.hasOwn(spec.elements ?? {}, id) ? spec.elements[id] : null;
  if (!found || depth > DEEPEST) return null;
  const props = found.props ?? {};
  const children = (Array.isArray(found.children) ? found.children : []).map((/** @type {unknown} */ child) => element(spec, String(child), depth + 1, key));
  const render = ELEMENTS[/** @type {keyof typeof ELEMENTS} */ (found.type)];
  return render ? render(props, children, `${key}-${id}`) : h("div", { class: "unknown" }, t("form.unknown", { type: String(found.type) }), children);
}

const text = (/** @type {unknown} */ value) => (value === undefined || value === null ? undefined : String(value));
/** @param {any} props @returns {string[]} */
const options = (props) => (Array.isArray(props.options) ? props.options.map(String) : []);

/** @type {Record<string, (props: any, children: Child[], id: string) => Child>} */
const ELEMENTS = {
  Card: (props, children) => h("div", { class: "f-card" }, props.title && h("h3", null, text(props.title)), props.description && h("p", { class: "quiet" }, text(props.description)), children),
  Stack: (props, children) => h("div", { class: `f-stack ${props.direction === "horizontal" ? "across" : ""}` }, children),
  Input: (props) => field(text(props.label) ?? "", h("input", { ...marks(props), type: INPUT_TYPES.has(props.type) ? props.type : "text", placeholder: text(props.placeholder), initial: text(props.value) })),
  Textarea: (props) => field(text(props.label) ?? "", h("textarea", { ...marks(props), rows: text(props.rows) ?? "3", placeholder: text(props.placeholder), initial: text(props.value) })),
  Select: (props) => field(text(props.label) ?? "", h("select", { ...marks(props), initial: text(props.value) ?? "" }, h("option", { value: "" }, text(props.placeholder) ?? "—"), options(props).map((one) => h("option", { value: one }, one)))),
  Radio: (props, _, id) =>
    h("fieldset", { class: "f-radio" }, h("legend", null, text(props.label)), options(props).map((one) => h("label", { class: "choice" }, h("input", { ...marks(props), type: "radio", name: id, value: one, checked: undefined, initial: one === props.value }), h("span", null, one)))),
  Checkbox: (props) => h("label", { class: "choice" }, h("input", { ...marks(props), type: "checkbox", initial: props.checked }), h("span", null, text(props.label))),
  Switch: (props) => h("label", { class: "choice" }, h("input", { ...marks(props), type: "checkbox", role: "switch", initial: props.checked }), h("span", null, text(props.label))),
  Slider: (props) => field(text(props.label) ?? "", h("input", { ...marks(props), type: "range", min: text(props.min), max: text(props.max), step: text(props.step), initial: text(props.value ?? props.min) })),
  Button: (props) => h("button", { type: "submit", class: "primary" }, text(props.label)),
};

/** @param {any} props */
const marks = (props) => ({ "data-label": text(props.label) ?? text(props.name) ?? "", "data-field": text(props.name) ?? "" });

/** `Label: value` lines, as the vendor's example client sends them. @param {HTMLFormElement} form */
function message(form) {
  const lines = [];
  for (const control of /** @type {any} */ (form.querySelectorAll("[data-label]"))) {
    const value = control.type === "radio" ? control.checked && control.value : control.type === "checkbox" ? t(control.checked ? "yes" : "no") : control.value;
    if (value) lines.push(`${control.dataset.label}: ${value}`);
  }
  return lines.join("\n");
}
