// @ts-check
/** Shows Markdown as elements. Links go to http, https and mailto alone; images are named, never loaded; HTML is text. */

import { h } from "../core/dom.js";

/** @typedef {import("../core/dom.js").Child} Child */

const SAFE = /^(https?:|mailto:)/i;
const BULLET = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** @param {string} text @returns {Child} */
export function markdown(text) {
  return h("div", { class: "markdown" }, blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0));
}

/** Show a sentence or two, without a block around them. @param {string} text @returns {Child} */
export const sentence = (text) => inline(text);

/** @param {string[]} lines @param {number} depth @returns {Child[]} */
function blocks(lines, depth) {
  /** @type {Child[]} */
  const found = [];
  for (let at = 0; at < lines.length; ) {
    const [block, next] = oneBlock(lines, at, depth);
    if (block) found.push(block);
    at = next;
  }
  return found;
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {[Child, number]} */
function oneBlock(lines, at, depth) {
  const line = lines[at];
  if (!line.trim()) return [null, at + 1];
  const fence = /^\s{0,3}(`{3,}|~{3,})\s*([\w+-]*)/.exec(line);
  if (fence) return fenced(lines, at, fence[1]);
  const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading) return [h(`h${Math.min(heading[1].length + 2, 6)}`, null, inline(heading[2])), at + 1];
  if (RULE.test(line)) return [h("hr", null), at + 1];
  if (depth < 8 && /^\s{0,3}>/.test(line)) return quote(lines, at, depth);
  if (depth < 8 && BULLET.test(line)) return list(lines, at, depth);
  if (line.includes("|") && TABLE_LINE.test(lines[at + 1] ?? "") && (lines[at + 1] ?? "").includes("-")) return table(lines, at);
  return paragraph(lines, at);
}

/** @param {string[]} lines @param {number} at @param {string} mark @returns {[Child, number]} */
function fenced(lines, at, mark) {
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(mark)) end += 1;
  return [h("pre", { tabindex: "0" }, h("code", null, lines.slice(at + 1, end).join("\n"))), end + 1];
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {[Child, number]} */
function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && /^\s{0,3}>/.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(/^\s{0,3}>\s?/, ""));
  return [h("blockquote", null, blocks(inner, depth + 1)), end];
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {[Child, number]} */
function list(lines, at, depth) {
  const first = /** @type {RegExpExecArray} */ (BULLET.exec(lines[at]));
  const indent = first[1].length;
  const ordered = /\d/.test(first[2]);
  /** @type {string[][]} */
  const items = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const item = BULLET.exec(lines[end]);
    if (item && item[1].length <= indent + 1) {
      if (/\d/.test(item[2]) !== ordered || item[1].length < indent) break;
      items.push([item[3]]);
    } else if (!lines[end].trim()) {
      if (!/^\s+\S/.test(lines[end + 1] ?? "") && !BULLET.test(lines[end + 1] ?? "")) break;
      items[items.length - 1].push("");
    } else if (/^\s+/.test(lines[end]) || !startsBlock(lines[end])) items[items.length - 1].push(dedent(lines[end], indent + 2));
    else break;
  }
  const start = ordered && first[2] !== "1." ? parseInt(first[2], 10) : undefined;
  return [h(ordered ? "ol" : "ul", { start }, items.map((item) => h("li", null, listItem(item, depth)))), end];
}

/** @param {string[]} lines @param {number} depth @returns {Child[]} */
function listItem(lines, depth) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(lines[0]);
  const box = task && h("span", { class: "task", "aria-hidden": "true" }, task[1] === " " ? "☐ " : "☑ ");
  const own = task ? [task[2], ...lines.slice(1)] : lines;
  const split = own.findIndex((line, at) => at > 0 && (line === "" || startsBlock(line)));
  const [text, rest] = split < 0 ? [own, []] : [own.slice(0, split), own.slice(split)];
  return [box, inline(text.join("\n")), ...blocks(rest, depth + 1)];
}

/** @param {string} line @param {number} most */
const dedent = (line, most) => line.replace(new RegExp(`^\\s{0,${most}}`), "");

/** @param {string} line */
const startsBlock = (line) => BULLET.test(line) || /^\s{0,3}(#{1,6}\s|>|`{3}|~{3})/.test(line) || RULE.test(line);

/** @param {string[]} lines @param {number} at @returns {[Child, number]} */
function table(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const row = (/** @type {string} */ line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
  const head = h("tr", null, row(lines[at]).map((cell) => h("th", { scope: "col" }, inline(cell))));
  const body = lines.slice(at + 2, end).map((line) => h("tr", null, row(line).map((cell) => h("td", null, inline(cell)))));
  return [h("div", { class: "scroll", tabindex: "0" }, h("table", null, h("thead", null, head), h("tbody", null, body))), end];
}

/** @param {string[]} lines @param {number} at @returns {[Child, number]} */
function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !startsBlock(lines[end])) end += 1;
  return [h("p", null, inline(lines.slice(at, end).join("\n"))), end];
}

/** Each rule: what it looks like, and what it becomes. @type {Array<[RegExp, (found: RegExpExecArray) => Child]>} */
const RULES = [
  [/^\\([!-/:-@[-`{-~])/, (m) => m[1]],
  [/^(`+)([^]*?[^`])\1(?!`)/, (m) => h("code", null, m[2].trim())],
  [/^!\[([^\]]*)\]\(([^()\s]*)[^)]*\)/, (m) => h("span", { class: "image", title: m[2] }, `🖼 ${m[1] || m[2]}`)],
  [/^\[((?:[^[\]]|\[[^\]]*\])*)\]\(\s*<?([^()\s>]*(?:\([^()\s]*\)[^()\s>]*)*)>?(?:\s+["'][^)]*)?\)/, (m) => link(m[2], inline(m[1]))],
  [/^<((?:https?:|mailto:)[^\s<>]+)>/i, (m) => link(m[1], m[1])],
  [/^https?:\/\/[^\s<>]*[^\s<>.,;:!?'")\]]/i, (m) => link(m[0], m[0])],
  [/^(\*\*|__)(?=\S)([^]*?\S)\1/, (m) => h("strong", null, inline(m[2]))],
  [/^~~(?=\S)([^]*?\S)~~/, (m) => h("del", null, inline(m[1]))],
  [/^\*(?=[^\s*])([^]*?[^\s*])\*(?!\*)/, (m) => h("em", null, inline(m[1]))],
  [/^_(?=[^\s_])([^]*?[^\s_])_(?!\w)/, (m) => h("em", null, inline(m[1]))],
  [/^(?: {2,}|\\)\n/, () => h("br", null)],
];

/** @param {string} text @returns {Child[]} */
function inline(text) {
  /** @type {Child[]} */
  const found = [];
  let plain = "";
  for (let rest = text, before = ""; rest; ) {
    const hit = /[\w]/.test(before) && /^[_h]/.test(rest) ? null : firstRule(rest);
    if (hit) {
      if (plain) found.push(plain);
      plain = "";
      found.push(hit.node);
    } else plain += rest[0];
    const taken = hit ? hit.length : 1;
    before = rest[taken - 1];
    rest = rest.slice(taken);
  }
  return plain ? [...found, plain] : found;
}

/** @param {string} rest @returns {{node: Child, length: number} | null} */
function firstRule(rest) {
  if (!/^[\\`!\[<h*_~ ]/i.test(rest)) return null;
  for (const [looks, becomes] of RULES) {
    const found = looks.exec(rest);
    if (found) return { node: becomes(found), length: found[0].length };
  }
  return null;
}

/** @param {string} target @param {Child} label @returns {Child} */
function link(target, label) {
  if (!SAFE.test(target)) return h("span", { class: "dead-link", title: target }, label);
  return h("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, label);
}
