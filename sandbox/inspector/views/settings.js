// @ts-check
/** What an app is set to: settings, clock, keys and limits, tools. */

import { h } from "../core/dom.js";
import { dateTime, t } from "../core/i18n.js";
import { appOf, change, clock } from "../actions/apps.js";
import { putScenario } from "../actions/scenarios.js";
import { json } from "../parts/json.js";
import { badge, button, field, select, toggle } from "../parts/pieces.js";
import { part } from "./entry.js";
import { framingOf, framingOptions } from "./playground.js";
import { snapshotPart } from "./snapshot.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/server.js").App} App */

const BUSINESSES = ["insurance", "clinic", "home_services", "retail", "travel", "real_estate", "banking", "school", "restaurant", "telecom", "energy", "automotive", "software", "general"];

/** @param {State} state @param {string} id */
export const settingsColumn = (state, id) => [scenarioPart(state, appOf(id)), settings(appOf(id)), clockPart(state, id), accessPart(appOf(id)), snapshotPart(id), toolsPart(appOf(id))];

/** @param {State} state @param {App | null} app */
function scenarioPart({ scenarios, language }, app) {
  if (!app || !scenarios) return null;
  const chosen = scenarios.find((one) => one.name === app.scenario)?.description;
  const hint = typeof chosen === "object" ? chosen[language] : chosen;
  /** @type {Array<[string, string]>} */
  const options = [["", t("scenario.none")], ...scenarios.map(({ name }) => /** @type {[string, string]} */ ([name, name]))];
  return part(t("scenario"), null, null, field(t("scenario.name"), select(app.scenario ?? "", options, (name) => putScenario(app.app_id, name || null)), hint || t("scenario.hint")));
}

/** @param {App | null} app */
function settings(app) {
  if (!app) return h("p", { class: "quiet" }, t("loading"));
  const { app_id: id, settings: now } = app;
  const set = (/** @type {string} */ name) => (/** @type {unknown} */ value) => change(id, { [name]: value });
  const options = (/** @type {string[]} */ names) => names.map((name) => /** @type {[string, string]} */ ([name, name]));
  const text = (/** @type {string} */ name, /** @type {any} */ value, /** @type {any} */ props, /** @type {(value: string) => unknown} */ changed) => field(name, h("input", { key: `${name}${value}`, initial: value ?? "", onchange: (/** @type {any} */ event) => event.target.checkValidity() && changed(event.target.value), ...props }));
  return part(
    t("settings"),
    null,
    null,
    h(
      "div",
      { class: "settings" },
      field("status", select(now.status, options(["live", "inactive", "no_agent"]), set("status"))),
      field("business", select(now.business, options(BUSINESSES), set("business"))),
      field("titles", select(now.titles, options(["at_creation", "after_first_exchange"]), set("titles"))),
      field("framing", select(String(now.framing), framingOptions(now.framing), (framing) => set("framing")(framingOf(framing)))),
      toggle("stream", now.stream, set("stream")),
      toggle("generative_ui", now.generative_ui, set("generative_ui")),
      toggle("branding", now.branding, set("branding")),
      h("div", { class: "pair" }, text("pace.first_ms", now.pace.first_ms, { type: "number", min: "0", max: "600000", required: true }, (value) => change(id, { pace: { first_ms: Number(value) } })), text("pace.delta_ms", now.pace.delta_ms, { type: "number", min: "0", max: "600000", required: true }, (value) => change(id, { pace: { delta_ms: Number(value) } }))),
      text("agent.name", now.agent.name, { maxlength: "100", required: true }, (value) => change(id, { agent: { name: value } })),
      h("div", { class: "pair" }, text("agent.primary_color", now.agent.primary_color, { type: "color" }, (value) => change(id, { agent: { primary_color: value } })), text("agent.secondary_color", now.agent.secondary_color, { type: "color" }, (value) => change(id, { agent: { secondary_color: value } }))),
    ),
  );
}

/** @param {State} state @param {string} id */
function clockPart({ data: { clock: now } }, id) {
  const step = (/** @type {number} */ seconds, /** @type {string} */ label) => button(label, () => clock(id, "advance", seconds));
  return part(
    t("clock"),
    now ? t(now.frozen ? "clock.frozen" : "clock.running") : null,
    null,
    now && [
      h("p", { class: "big" }, dateTime(now.now), " ", h("code", { class: "quiet" }, now.now)),
      h("div", { class: "tools" }, button(t("clock.freeze"), () => clock(id, "freeze")), step(60, t("clock.minute")), step(3600, t("clock.hour")), step(86400, t("clock.day")), now.frozen && button(t("clock.release"), () => clock(id, "release"))),
    ],
  );
}

/** @param {App | null} app */
function accessPart(app) {
  if (!app) return null;
  const { app_id: id, settings: now } = app;
  const limit = (/** @type {any} */ form, /** @type {string} */ name) => (form[name].value === "" ? null : Number(form[name].value));
  return part(
    t("access"),
    null,
    null,
    [
      h("p", null, h("strong", null, t("keys.title")), " ", now.keys === null ? t("keys.any") : now.keys.length ? now.keys.map((key) => [h("code", null, key), " "]) : t("keys.none")),
      h(
        "form",
        {
          class: "inline-form",
          onsubmit: async (/** @type {any} */ event) => {
            event.preventDefault();
            const keys = event.target.elements.keys.value.split(/[\s,]+/).filter(Boolean);
            if (await change(id, { keys: keys.length ? keys : null })) event.target.reset();
          },
        },
        field(t("keys.set"), h("input", { name: "keys", autocomplete: "off", spellcheck: "false", placeholder: "sk_test_a, sk_test_b" }), t("keys.hint")),
        h("button", { type: "submit" }, t("keys.replace")),
      ),
      h(
        "form",
        {
          class: "inline-form",
          key: JSON.stringify(now.rate_limit),
          onsubmit: (/** @type {any} */ event) => {
            event.preventDefault();
            const form = event.target.elements;
            const [minute, day] = [limit(form, "per_minute"), limit(form, "per_day")];
            change(id, { rate_limit: minute === null && day === null ? null : { per_minute: minute, per_day: day } });
          },
        },
        field(t("limit.minute"), h("input", { name: "per_minute", type: "number", min: "0", placeholder: t("limit.none"), initial: now.rate_limit?.per_minute ?? "" })),
        field(t("limit.day"), h("input", { name: "per_day", type: "number", min: "0", placeholder: t("limit.none"), initial: now.rate_limit?.per_day ?? "" })),
        h("button", { type: "submit" }, t("limit.set")),
      ),
    ],
  );
}

/** @param {App | null} app */
function toolsPart(app) {
  return app && part(t("tools"), null, null, h("ul", { class: "plain-list" }, app.settings.tools.map((tool) => h("li", { key: tool.name }, h("details", null, h("summary", null, h("code", null, tool.name), " ", badge(tool.kind, tool.kind)), json(tool))))));
}
