// @ts-check
/** What of the contract an app's client has met, and what it never has. */

import { h } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { loadCoverage } from "../actions/coverage.js";
import { button } from "../parts/pieces.js";
import { part } from "./entry.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/server.js").Coverage} Coverage */
/** @typedef {Record<string, number>} Counts */

/** @param {State} state @param {string} id */
export function coverageView({ coverage }, id) {
  const again = button(t("coverage.again"), () => loadCoverage(id));
  if (coverage?.app_id !== id) return part(t("coverage"), null, again, h("p", { class: "quiet" }, t("loading")));
  return part(t("coverage"), plural("requests", coverage.requests), again, [
    h("p", { class: "lead" }, t("coverage.lead")),
    coverage.evicted > 0 && h("div", { class: "alert warning" }, t("verdict.evicted", { n: plural("requests", coverage.evicted) })),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": t("coverage") },
      h(
        "table",
        { class: "data", "data-list": true },
        h("thead", null, h("tr", null, ["what", "met", "never"].map((name) => h("th", { scope: "col" }, t(/** @type {any} */ (`coverage.${name}`)))))),
        h("tbody", null, rowsOf(coverage).map(([title, counts]) => row(title, counts))),
      ),
    ),
  ]);
}

/** @param {Coverage} coverage @returns {Array<[string, Counts]>} */
function rowsOf({ operations, error_types, events, framings }) {
  /** @type {Counts} */
  const called = {};
  for (const [name, { statuses }] of Object.entries(operations)) called[name] = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  /** @type {Array<[string, Counts]>} */
  const rows = [[t("coverage.operations"), called]];
  for (const [name, parts] of Object.entries(operations)) {
    if (!called[name]) continue;
    for (const [kind, counts] of Object.entries(parts)) rows.push([`${short(name)}: ${t(/** @type {any} */ (`coverage.${kind}`))}`, counts]);
  }
  return [...rows, [t("coverage.error_types"), error_types], [t("coverage.events"), events], [t("coverage.framings"), framings]];
}

/** @param {string} title @param {Counts} counts */
function row(title, counts) {
  const all = Object.entries(counts);
  const never = all.filter(([, count]) => count === 0);
  return h("tr", { key: title }, h("td", null, title), h("td", { class: "nowrap" }, `${all.length - never.length} / ${all.length}`), h("td", null, never.map(([name]) => [h("code", { key: name }, short(name)), " "])));
}

/** @param {string} name */
const short = (name) => name.replace(/^apps_api_/, "");
