// @ts-check
/** What is around every view: the bar, the connection, dialogs and notices. */

import { h } from "../core/dom.js";
import { store } from "../core/state.js";
import { t } from "../core/i18n.js";
import { linkTo, VIEWS } from "../core/route.js";
import { keepToken } from "../core/server.js";
import { a, button, field } from "../parts/pieces.js";
import { requestsView } from "./requests.js";
import { playgroundView } from "./playground.js";
import { appsView } from "./apps.js";
import { faultsView } from "./faults.js";
import { contractView } from "./contract.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/dom.js").Child} Child */
/** @typedef {{language: (language: "en" | "fr") => void, theme: (theme: "auto" | "light" | "dark") => void, reconnect: () => void}} Switches */

/** @type {Record<string, (state: State) => Child>} */
const PAGES = { requests: requestsView, playground: playgroundView, apps: appsView, faults: faultsView, contract: contractView };
const THEMES = /** @type {const} */ (["auto", "light", "dark"]);
const KEYS = ["/", "↑ ↓", "Enter", "Esc", "1 – 5", "?"];

/** @param {State} state @param {Switches} switches @returns {Child[]} */
export function shell(state, switches) {
  return [
    a("#main", t("skip"), {
      class: "skip",
      onclick: (/** @type {any} */ event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      },
    }),
    bar(state, switches),
    state.connection === "lost" && h("div", { class: "lost", role: "alert", key: "lost" }, t("connection.lost"), " ", button(t("connection.again"), switches.reconnect)),
    h("main", { id: "main", tabindex: "-1", key: "main" }, h("h1", { class: "unseen" }, t(/** @type {any} */ (`view.${state.route.view}`))), h("div", { class: "view", key: state.route.view }, PAGES[state.route.view](state))),
    h("div", { class: "toasts", role: "status", "aria-live": "polite", key: "toasts" }, state.toast && h("div", { class: `toast ${state.toast.bad ? "bad" : ""}` }, state.toast.text)),
    state.dialog && dialog(state, switches),
  ];
}

/** @param {State} state @param {Switches} switches */
function bar(state, switches) {
  const next = THEMES[(THEMES.indexOf(state.theme) + 1) % THEMES.length];
  return h(
    "header",
    { class: "bar", key: "bar" },
    a(linkTo("requests"), [h("img", { src: "/_sandbox/icon.svg", alt: "", width: "24", height: "24" }), h("span", null, "Dimedove Sandbox")], { class: "brand" }),
    h("nav", { "aria-label": t("nav") }, VIEWS.map((view) => a(linkTo(view, view === "playground" && state.play.conversation ? [state.play.app, state.play.conversation.id] : []), t(/** @type {any} */ (`view.${view}`)), { "aria-current": view === state.route.view ? "page" : undefined }))),
    h("span", { class: `connection ${state.connection}`, role: "status" }, h("i", { "aria-hidden": "true" }), h("span", null, t(`connection.${state.paused && state.connection === "live" ? "paused" : state.connection}`))),
    button(t("language.switch"), () => switches.language(state.language === "fr" ? "en" : "fr"), { class: "plain", lang: state.language === "fr" ? "en" : "fr" }),
    button({ auto: "◐", light: "☀", dark: "☾" }[state.theme], () => switches.theme(next), { class: "plain", "aria-label": t("theme.switch", { theme: t(`theme.${state.theme}`) }), title: t("theme.switch", { theme: t(`theme.${state.theme}`) }) }),
    button("?", () => store.set({ dialog: "help" }), { class: "plain", "aria-label": t("help"), title: t("help") }),
  );
}

/** @param {State} state @param {Switches} switches */
function dialog(state, switches) {
  return h(
    "dialog",
    {
      key: `dialog-${state.dialog}`,
      "aria-labelledby": "dialog-title",
      ref: (/** @type {HTMLDialogElement} */ element, /** @type {boolean} */ isNew) => isNew && queueMicrotask(() => element.isConnected && element.showModal()),
      onclose: () => store.set({ dialog: null }),
    },
    state.dialog === "help" ? help() : token(switches),
  );
}

function help() {
  return [
    h("h2", { id: "dialog-title" }, t("help")),
    h("dl", { class: "keys" }, KEYS.map((key, at) => [h("dt", null, h("kbd", null, key)), h("dd", null, t(/** @type {any} */ (`keys.${at}`)))])),
    button(t("close"), () => store.set({ dialog: null }), { class: "primary", autofocus: true }),
  ];
}

/** @param {Switches} switches */
function token(switches) {
  return h(
    "form",
    {
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        keepToken(event.target.elements.token.value.trim());
        store.set({ dialog: null });
        switches.reconnect();
      },
    },
    h("h2", { id: "dialog-title" }, t("token.title")),
    h("p", null, t("token.hint")),
    field(t("token.label"), h("input", { name: "token", type: "password", required: true, autocomplete: "off", autofocus: true })),
    h("button", { type: "submit", class: "primary" }, t("token.enter")),
  );
}
