// @ts-check
/** How an app's client behaved: what was found, which requests show it, what to do. */

import { h } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { linkTo } from "../core/route.js";
import { loadVerdict } from "../actions/verdict.js";
import { sentence } from "../parts/markdown.js";
import { a, badge, button } from "../parts/pieces.js";
import { part } from "./entry.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/server.js").Verdict} Verdict */

const MOST_LINKS = 12;

/** @param {State} state @param {string} id */
export function verdictView({ verdict }, id) {
  const again = button(t("verdict.again"), () => loadVerdict(id));
  if (verdict?.app_id !== id) return part(t("verdict"), null, again, h("p", { class: "quiet" }, t("loading")));
  return part(t("verdict"), plural("requests", verdict.requests), again, [
    h("p", { class: "lead" }, t("verdict.lead")),
    h("div", { role: "status" }, summary(verdict)),
    verdict.failed_replies > 0 && h("p", { class: "quiet" }, t("verdict.failed", { n: verdict.failed_replies })),
    verdict.evicted > 0 && h("div", { class: "alert warning" }, t("verdict.evicted", { n: plural("requests", verdict.evicted) })),
    h("ul", { class: "items", "data-list": true }, verdict.findings.map((finding) => found(finding, id))),
  ]);
}

/** @param {Verdict} verdict */
function summary({ passed, findings }) {
  if (passed === false) return h("p", { class: "big" }, badge("fault", "✗"), " ", plural("findings", findings.length));
  return h("p", { class: "big" }, badge(passed ? "good" : "warning", passed ? "✓" : "?"), " ", t(passed ? "verdict.clean" : "verdict.unknown"));
}

/** @param {Verdict["findings"][number]} finding @param {string} id */
function found({ rule, message, requests, advice }, id) {
  const more = requests.length - MOST_LINKS;
  return h(
    "li",
    { key: rule + message },
    h("p", null, badge("violation", rule), " ", sentence(message)),
    h("p", null, sentence(advice)),
    h(
      "p",
      { class: "facts" },
      requests.slice(0, MOST_LINKS).map((request) => a(linkTo("requests", [request], { app: id }), h("code", null, request), { key: request, "data-item": true })),
      more > 0 && h("span", { class: "quiet" }, t("timeline.more", { n: more })),
    ),
  );
}
