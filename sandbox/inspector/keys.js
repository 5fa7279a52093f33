// @ts-check
/** The keyboard: `/` filters, arrows move, Enter opens, Esc closes, digits change the view, `?` shows all. */

import { store } from "./core/state.js";
import { go, linkTo, VIEWS } from "./core/route.js";
import { moveCursor, openCursor } from "./actions/requests.js";

export function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || store.get().dialog) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const writing = target.matches("input:not([type=checkbox], [type=radio]), textarea, select");
    if (event.key === "Escape") return escape(target, writing);
    if (writing) return;
    const view = /^[1-5]$/.test(event.key) && VIEWS[Number(event.key) - 1];
    const act = view ? () => go(linkTo(view)) : KEYS[event.key];
    if (act && act(target) !== false) event.preventDefault();
  });
}

/** What each key does; false: nothing, leave it to the browser. @type {Record<string, ((target: HTMLElement) => boolean | void) | undefined>} */
const KEYS = {
  "/": () => /** @type {HTMLElement | null} */ (document.querySelector("[data-search]"))?.focus(),
  "?": () => store.set({ dialog: "help" }),
  ArrowDown: (target) => arrow(target, 1),
  ArrowUp: (target) => arrow(target, -1),
  Enter: (target) => {
    const list = store.get().route.view === "requests" && !target.closest("a, button, summary");
    return list ? openCursor() : false;
  },
};

/** @param {HTMLElement} target @param {number} step */
function arrow(target, step) {
  if (store.get().route.view === "requests") {
    if (target.closest(".detail-body")) return false;
    return moveCursor(step);
  }
  const items = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-list] [data-item]"))];
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  if (!items.length || (at < 0 && target !== document.body && target.id !== "main")) return false;
  items[Math.max(0, Math.min(items.length - 1, at + step))].focus();
}

/** @param {HTMLElement} target @param {boolean} writing */
function escape(target, writing) {
  if (writing) return target.blur();
  const close = /** @type {HTMLElement | null} */ (document.querySelector("[data-close]"));
  close?.click();
}
