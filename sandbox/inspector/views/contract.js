// @ts-check
/** The contract, to read and to try: every operation and every schema, and where each fact comes from. */

import { h } from "../core/dom.js";
import { duration, t } from "../core/i18n.js";
import { linkTo } from "../core/route.js";
import { tryOut } from "../actions/contract.js";
import { say } from "../actions/talk.js";
import { examplesOf, operation, schemaName, sourceOf } from "../parts/contract.js";
import { markdown, sentence } from "../parts/markdown.js";
import { json } from "../parts/json.js";
import { a, empty, field, methodBadge, sourceMark, statusBadge } from "../parts/pieces.js";
import { timeline } from "../parts/timeline.js";
import { schemaView } from "../parts/schema.js";
import { part } from "./entry.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../parts/contract.js").Contract} Contract */
/** @typedef {import("../parts/contract.js").Operation} Operation */

const JSON_TYPE = "application/json";

/** @param {State} state */
export function contractView(state) {
  const { contract } = state;
  if (!contract) return empty(t("loading"));
  const [kind, name] = state.route.parts;
  return h("div", { class: `contract ${name ? "with-detail" : ""}` }, h("aside", { class: "side", "aria-label": t("view.contract"), "data-list": true, tabindex: "0" }, index(contract, name)), h("section", { class: "page", tabindex: "0", "aria-label": name ?? t("view.contract"), key: name ?? "none" }, page(state, contract, kind, name)));
}

/** @param {Contract} contract @param {string | undefined} name */
function index({ operations, schemas }, name) {
  const tags = [...new Set(operations.map((one) => one.tag))];
  return [
    tags.map((tag) => [
      h("h2", { class: "small" }, tag),
      h("ul", { class: "index" }, operations.filter((one) => one.tag === tag).map((one) => h("li", null, a(linkTo("contract", ["operation", one.id]), [methodBadge(one.method), " ", one.summary], { "data-item": true, "aria-current": one.id === name ? "true" : undefined })))),
    ]),
    h("h2", { class: "small" }, t("schemas")),
    h("ul", { class: "index" }, Object.keys(schemas).map((one) => h("li", null, a(linkTo("contract", ["schema", one]), one, { "data-item": true, "aria-current": one === name ? "true" : undefined })))),
  ];
}

/** @param {State} state @param {Contract} contract @param {string | undefined} kind @param {string | undefined} name */
function page(state, contract, kind, name) {
  const close = name && a(linkTo("contract"), "×", { class: "close", "aria-label": t("close"), "data-close": true });
  const found = kind === "operation" && name ? operation(contract, name) : null;
  if (found) return [close, operationPage(state, contract, found)];
  if (kind === "schema" && name && contract.schemas[name]) return [close, schemaPage(contract, name)];
  return name ? [close, empty(t("contract.missing"))] : intro(contract);
}

/** @param {Contract} contract */
function intro({ document }) {
  return [
    h("h2", null, document.info.title),
    markdown(String(document.info.description)),
    part(t("marks"), null, null, h("dl", { class: "marks" }, /** @type {const} */ (["S", "V", "D"]).map((mark) => [h("dt", null, sourceMark(mark)), h("dd", null, t(`mark.${mark}`))]))),
    part(t("raw.files"), null, null, h("ul", null, [["/openapi.json", t("raw.openapi")], ["/schemas/openapi.json", t("raw.schemas")], ["/_sandbox/openapi.json", t("raw.control")]].map(([href, label]) => h("li", null, a(href, href, { target: "_blank", rel: "noopener" }), ` – ${label}`)))),
  ];
}

/** @param {State} state @param {Contract} contract @param {Operation} one */
function operationPage(state, contract, one) {
  return [
    h("h2", null, one.summary, " ", sourceMark(one.source), one.decided && sourceMark("D")),
    h("p", { class: "target mono" }, methodBadge(one.method), " ", contract.base, one.path),
    markdown(one.description),
    h("p", { class: "quiet" }, h("code", null, one.id)),
    one.parameters.length > 0 && part(t("parameters"), null, null, h("dl", { class: "properties" }, one.parameters.map((parameter) => parameterLine(contract, parameter)))),
    one.body && part(t("request.body"), null, null, [h("p", null, sentence(one.body.description ?? ""), " ", one.body["x-sandbox-decision"] && sourceMark("D")), bodySchema(contract, one.body)]),
    part(t("answers"), null, null, h("div", { class: "answers" }, one.responses.map(([status, response]) => answer(contract, status, response)))),
    trial(state, contract, one),
  ];
}

/** @param {Contract} contract @param {any} parameter */
function parameterLine(contract, parameter) {
  return [
    h("dt", null, h("code", null, parameter.name), h("span", { class: "quiet" }, ` ${parameter.in}${parameter.required ? `, ${t("required")}` : ""}`), parameter["x-sandbox-decision"] && sourceMark("D")),
    h("dd", null, sentence(parameter.description ?? ""), schemaView(contract.document, parameter.schema, true)),
  ];
}

/** @param {Contract} contract @param {any} body */
function bodySchema(contract, body) {
  const media = body.content[JSON_TYPE];
  const name = schemaName(media.schema);
  return [name && h("p", null, t("law.body"), " ", a(linkTo("contract", ["schema", name]), name)), schemaView(contract.document, media.schema), examples(examplesOf(contract.document, media))];
}

/** @param {Array<[string, any]>} list */
const examples = (list) => list.map(([name, value]) => h("details", { class: "example" }, h("summary", null, `${t("example")}: ${name}`), json(value)));

/** @param {Contract} contract @param {string} status @param {any} response */
function answer(contract, status, response) {
  const contents = Object.entries(response.content ?? {});
  return h(
    "details",
    null,
    h("summary", null, statusBadge(Number(status)), " ", sentence(response.description), response["x-sandbox-decision"] && sourceMark("D")),
    contents.map(([type, media]) => {
      const name = schemaName(media.schema);
      return [h("p", null, h("code", null, type), " ", name && a(linkTo("contract", ["schema", name]), name)), examples(examplesOf(contract.document, media))];
    }),
  );
}

/** @param {State} state @param {Contract} contract @param {Operation} one */
function trial(state, contract, one) {
  const body = one.body && examplesOf(contract.document, one.body.content[JSON_TYPE])[0]?.[1];
  const conversation = state.play.conversation?.id;
  const first = (/** @type {any} */ parameter) => (parameter.name === "conversation_id" ? (conversation ?? parameter.example) : parameter.in === "query" ? "" : (parameter.example ?? ""));
  return part(
    t("try"),
    null,
    null,
    [
      h(
        "form",
        {
          class: "try",
          onsubmit: (/** @type {any} */ event) => {
            event.preventDefault();
            sendTrial(contract, one, new FormData(event.target));
          },
        },
        h("div", { class: "choices" }, one.parameters.map((parameter) => field(parameter.name, h("input", { name: `p:${parameter.name}`, initial: first(parameter), required: parameter.required, placeholder: parameter.schema?.default, spellcheck: "false" })))),
        body !== null && body !== undefined && field(t("request.body"), h("textarea", { name: "body", rows: String(Math.min(14, JSON.stringify(body, null, 2).split("\n").length + 1)), class: "mono", spellcheck: "false", initial: JSON.stringify(body, null, 2) })),
        h("p", null, h("button", { type: "submit", class: one.method === "DELETE" ? "danger" : "primary" }, `${t("try.send")} ${one.method}`)),
      ),
      state.trial && outcome(state.trial),
    ],
  );
}

/** @param {Contract} contract @param {Operation} one @param {FormData} given */
function sendTrial(contract, one, given) {
  let path = contract.base + one.path;
  const query = new URLSearchParams();
  for (const parameter of one.parameters) {
    const value = String(given.get(`p:${parameter.name}`) ?? "");
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value) query.set(parameter.name, value);
  }
  const body = given.get("body");
  if (body === "") say(t("try.empty"));
  tryOut(one.method, `${path}${query.size ? `?${query}` : ""}`, body === null ? undefined : String(body));
}

/** @param {NonNullable<State["trial"]>} one */
function outcome({ answer: text, status, ms, events }) {
  if (status === null && text === null) return h("p", { class: "quiet" }, t("loading"));
  let shown = text ?? "";
  try {
    shown = JSON.parse(shown);
  } catch {
    // It is shown as the text that it is.
  }
  return h("div", { class: "outcome", role: "status" }, h("p", { class: "facts" }, statusBadge(status), h("span", null, duration(ms))), events.length ? timeline(events, ms, "trial") : json(shown));
}

/** @param {Contract} contract @param {string} name */
function schemaPage(contract, name) {
  const schema = contract.schemas[name];
  return [
    h("h2", null, name, " ", sourceMark(sourceOf(name)), schema["x-sandbox-decision"] && sourceMark("D")),
    schema.description && markdown(schema.description),
    part(t("schema.fields"), null, null, schemaView(contract.document, schema)),
    examples((schema.examples ?? []).map((/** @type {any} */ value, /** @type {number} */ at) => [String(at + 1), value])),
    h("details", { class: "example" }, h("summary", null, t("schema.raw")), json(schema)),
  ];
}
