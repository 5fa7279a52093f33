// @ts-check
/** How any action says what became of it. */

import { store } from "../core/state.js";
import { t } from "../core/i18n.js";

let timer = 0;

/** @param {string} text @param {boolean} [bad] */
export function say(text, bad = false) {
  clearTimeout(timer);
  store.set({ toast: { text, bad } });
  timer = window.setTimeout(() => store.set({ toast: null }), bad ? 9000 : 3500);
}

/** @param {unknown} error */
export function complain(error) {
  const { status = -1, message = String(error) } = /** @type {any} */ (error);
  if (status === 401) return;
  say(status === 0 ? t("server.unreachable") : message, true);
}

/**
 * Do something that may be refused; undefined where it was.
 * @template T @param {() => Promise<T>} work @returns {Promise<T | undefined>}
 */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  } catch {
    const done = copiedByHand(text);
    say(t(done ? "copied" : "copy.failed"), !done);
  }
}

/** Off loopback a browser gives the clipboard to https alone. @param {string} text */
function copiedByHand(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/** @param {string} name @param {string} text */
export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
