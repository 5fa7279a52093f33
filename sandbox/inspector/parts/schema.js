// @ts-check
/** Shows a JSON Schema so that a person can read it. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { linkTo } from "../core/route.js";
import { sentence } from "./markdown.js";
import { resolved, schemaName } from "./contract.js";
import { a, sourceMark } from "./pieces.js";

/** @typedef {any} Json */
/** @typedef {import("../core/dom.js").Child} Child */

const LIMITS = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format", "x-max-bytes"];

/** @param {Json} document @param {Json} schema @param {boolean} [brief] only its type and limits @returns {Child} */
export function schemaView(document, schema, brief = false) {
  const whole = resolved(document, schema);
  const required = new Set(whole.required ?? []);
  const properties = Object.entries(whole.properties ?? {});
  if (brief || !properties.length) return h("div", { class: "type" }, type(schema, document), limits(whole), alternatives(document, whole));
  return [
    h(
      "dl",
      { class: "properties" },
      properties.map(([name, property]) => [
        h("dt", null, h("code", null, name), required.has(name) && h("span", { class: "required" }, ` ${t("required")}`), property["x-sandbox-decision"] && sourceMark("D")),
        h("dd", null, h("div", { class: "type" }, type(property, document), limits(property)), sentence(property.description ?? ""), nested(document, property)),
      ]),
    ),
    alternatives(document, whole),
  ];
}

/** The fields of an object that has no name of its own. @param {Json} document @param {Json} property @returns {Child} */
const nested = (document, property) => !schemaName(property) && (property.properties ?? property.items?.properties) && h("div", { class: "nested" }, schemaView(document, property.properties ? property : property.items));

/** @param {Json} document @param {Json} schema @returns {Child} */
function alternatives(document, schema) {
  const list = schema.oneOf ?? schema.anyOf;
  return list && h("ul", { class: "alternatives" }, list.map((/** @type {Json} */ one) => h("li", null, type(one, document), !schemaName(one) && one.properties && schemaView(document, one))));
}

/** @param {Json} schema @param {Json} document @returns {Child} */
function type(schema, document) {
  const name = schemaName(schema);
  if (name) return a(linkTo("contract", ["schema", name]), resolved(document, schema).title ?? name);
  if (schema.const !== undefined) return h("code", null, JSON.stringify(schema.const));
  if (schema.enum) return h("code", null, schema.enum.map((/** @type {Json} */ one) => JSON.stringify(one)).join(" | "));
  const list = schema.anyOf ?? schema.oneOf;
  if (list && !schema.type) return list.map((/** @type {Json} */ one, /** @type {number} */ at) => [at > 0 && " | ", type(one, document)]);
  const said = [schema.type].flat().filter(Boolean).join(" | ") || (schema.properties ? "object" : "any");
  return [h("code", null, said), schema.items && ["<", type(schema.items, document), ">"]];
}

/** @param {Json} schema @returns {Child} */
function limits(schema) {
  const found = LIMITS.filter((name) => schema[name] !== undefined).map((name) => `${name}: ${schema[name]}`);
  if (schema.default !== undefined) found.push(`default: ${JSON.stringify(schema.default)}`);
  return found.length > 0 && h("span", { class: "quiet" }, ` ${found.join(", ")}`);
}
