// @ts-check
/** Every sentence of the page comes from here, in the language that was chosen. */

import { en } from "../locales/en.js";
import { fr } from "../locales/fr.js";

/** @typedef {keyof typeof en} Word */
/** @typedef {"en" | "fr"} Language */

/** @type {Record<Language, Record<Word, string>>} */
const WORDS = { en, fr };
/** @type {Language} */
let language = "en";

/** @returns {Language} */
export function preferred() {
  return navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en";
}

/** @param {Language} chosen */
export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen === "fr" ? "fr-CA" : "en-CA";
}

/**
 * Say something; `{name}` in it is replaced.
 * @param {Word} word @param {Record<string, string | number>} [values]
 */
export function t(word, values = {}) {
  return WORDS[language][word].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Say one or many: the words `x.one` and `x.many`. @param {string} word @param {number} count */
export function plural(word, count) {
  const one = language === "fr" ? count < 2 : count === 1;
  return t(/** @type {Word} */ (`${word}.${one ? "one" : "many"}`), { n: number(count) });
}

/** @param {number} value */
export function number(value) {
  return value.toLocaleString(document.documentElement.lang);
}

/** @param {number} seconds Unix */
export function clockTime(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(document.documentElement.lang, { hour12: false });
}

/** @param {number} seconds Unix */
export function dateTime(seconds) {
  return new Date(seconds * 1000).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium", hour12: false });
}

/** @param {number | null} ms */
export function duration(ms) {
  if (ms === null) return "–";
  if (ms >= 1000) return `${(ms / 1000).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 })} s`;
  return `${ms.toLocaleString(document.documentElement.lang, { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`;
}
