// @ts-check
/** Talk to the agent: conversations on the left, the chat, and what really came over the wire beside it. */

import { h } from "../core/dom.js";
import { dateTime, duration, plural, t } from "../core/i18n.js";
import { go, linkTo } from "../core/route.js";
import { apiKey, keepApiKey } from "../core/server.js";
import { createConversation, manner, openPlayground, say, setManner, stop, tune } from "../actions/playground.js";
import { appOf } from "../actions/apps.js";
import { saveScenario } from "../actions/scenarios.js";
import { form } from "../parts/form.js";
import { json } from "../parts/json.js";
import { markdown } from "../parts/markdown.js";
import { a, appPicker, badge, button, empty, field, select, statusBadge, toggle } from "../parts/pieces.js";
import { timeline } from "../parts/timeline.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Turn} Turn */
/** @typedef {import("../core/dom.js").Child} Child */

const TRY = ["[[tool]]", "[[form]]", "[[markdown]]", "[[human]]", "[[unicode]]", "[[slow]]", "[[cut]]", "[[fail]]"];
const FRAMINGS = ["plain", "split", "crlf", "comments", "multiline", "cr", "cut_crlf", "mixed", "bom", "fields"];
/** What a select offers: each framing, and those that are set together. @param {string | string[]} now @returns {Array<[string, string]>} */
export const framingOptions = (now) => [...FRAMINGS, ...(FRAMINGS.includes(String(now)) ? [] : [String(now)])].map((one) => [one, one]);
/** What the setting takes, of an option's value. @param {string} option @returns {string | string[]} */
export const framingOf = (option) => (option.includes(",") ? option.split(",") : option);
const PACES = { instant: { first_ms: 0, delta_ms: 0 }, natural: { first_ms: 350, delta_ms: 25 }, slow: { first_ms: 1500, delta_ms: 150 } };

/** @param {State} state */
export function playgroundView(state) {
  const { play } = state;
  return h(
    "div",
    { class: "playground" },
    h("aside", { class: "side", "aria-label": t("play.conversations") }, sidebar(state)),
    h("section", { class: "chat", "aria-label": t("play.chat") }, chatHead(play), turns(play), composer(play)),
    h("section", { class: "wire", "aria-label": t("play.wire") }, wire(state)),
  );
}

/** @param {State} state */
function sidebar(state) {
  const { play } = state;
  const apps = (state.apps ?? []).map((app) => app.app_id);
  return [
    h("div", { class: "field" }, h("span", { class: "label" }, t("app")), appPicker(play.app, apps, (app) => go(linkTo("playground", [app])), "play-apps")),
    newConversation(),
    switches(state),
    h("h2", { class: "small" }, t("play.conversations")),
    play.list === null ? h("p", { class: "quiet" }, t("loading")) : play.list.length === 0 ? h("p", { class: "quiet" }, t("play.no.conversations")) : null,
    h(
      "ul",
      { class: "conversations", "data-list": true },
      (play.list ?? []).map((one) =>
        h("li", { key: one.id }, a(linkTo("playground", [play.app, one.id]), [h("span", { class: "name" }, titleOf(one)), h("span", { class: "quiet" }, one.external_user_id || t("user.none"))], { "data-item": true, "aria-current": one.id === play.conversation?.id ? "true" : undefined })),
      ),
    ),
    play.more && h("p", null, a(linkTo("apps", [play.app]), t("play.all"))),
  ];
}

/** @param {any} conversation */
export function titleOf(conversation) {
  const lang = document.documentElement.lang.startsWith("fr") ? "fr-ca" : "en-ca";
  return conversation.title || conversation.generated_title?.[lang] || t("play.untitled");
}

function newConversation() {
  return h(
    "details",
    { class: "new" },
    h("summary", { class: "button primary" }, `+ ${t("play.new")}`),
    h(
      "form",
      {
        onsubmit: async (/** @type {any} */ event) => {
          event.preventDefault();
          const { user, title, name } = Object.fromEntries(new FormData(event.target));
          const details = event.target.closest("details");
          await createConversation({ ...(user && { external_user_id: user }), ...(title && { title }), ...(name && { metadata: { first_name: name } }) });
          details.open = false;
        },
      },
      field("external_user_id", h("input", { name: "user", placeholder: "user_abc123" })),
      field("title", h("input", { name: "title", placeholder: t("play.title.placeholder") })),
      field("metadata.first_name", h("input", { name: "name", placeholder: "John" })),
      h("button", { type: "submit", class: "primary" }, t("play.create")),
    ),
  );
}

/** @param {State} state */
function switches({ play }) {
  const settings = appOf(play.app)?.settings;
  const { stream, language } = manner();
  const pace = settings && (Object.entries(PACES).find(([, one]) => one.first_ms === settings.pace.first_ms && one.delta_ms === settings.pace.delta_ms)?.[0] ?? "custom");
  /** @type {Array<[string, string]>} */
  const paces = [...Object.keys(PACES), ...(pace === "custom" ? ["custom"] : [])].map((name) => [name, t(/** @type {any} */ (`pace.${name}`))]);
  return h(
    "details",
    { class: "switches", ref: (/** @type {any} */ element, /** @type {boolean} */ isNew) => isNew && (element.open = innerWidth > 700) },
    h("summary", null, t("play.switches")),
    toggle(t("switch.stream"), stream, (on) => setManner({ stream: on })),
    settings && toggle(t("switch.ui"), settings.generative_ui, (on) => tune({ generative_ui: on })),
    settings && field(t("switch.pace"), select(pace ?? "instant", paces, (name) => tune({ pace: PACES[/** @type {keyof typeof PACES} */ (name)] }))),
    settings && field(t("switch.framing"), select(String(settings.framing), framingOptions(settings.framing), (framing) => tune({ framing: framingOf(framing) }))),
    field(t("switch.language"), select(language, [["", t("language.auto")], ["en-ca", "English"], ["fr-ca", "Français"]], (value) => setManner({ language: /** @type {any} */ (value) })), t("switch.language.hint")),
    field(
      t("key"),
      h("input", {
        initial: apiKey(),
        spellcheck: "false",
        autocomplete: "off",
        onchange: (/** @type {any} */ event) => {
          keepApiKey(event.target.value.trim() || "sk_test_inspector");
          openPlayground(play.app, play.conversation?.id);
        },
      }),
    ),
  );
}

/** @param {State["play"]} play */
function chatHead(play) {
  const one = play.conversation;
  if (!one) return h("header", { class: "chat-head" }, h("h2", null, t("play.new.title")), h("p", { class: "quiet" }, t("play.new.hint")));
  return h(
    "header",
    { class: "chat-head" },
    h("h2", null, titleOf(one)),
    h(
      "dl",
      { class: "titles" },
      one.title !== null && one.title !== undefined && [h("dt", null, "title"), h("dd", null, one.title || "“”")],
      one.generated_title ? Object.entries(one.generated_title).flatMap(([locale, title]) => [h("dt", null, locale), h("dd", { lang: locale }, String(title))]) : [h("dt", null, "generated_title"), h("dd", { class: "quiet" }, t("play.title.later"))],
    ),
    h("p", { class: "facts quiet" }, h("span", null, one.external_user_id || t("user.none")), h("span", null, dateTime(one.created_at)), a(linkTo("requests", [], { q: one.id, app: play.app }), t("play.its.requests")), button(t("scenario.save"), () => saveScenario(play.app, one.id))),
  );
}

/** @param {State["play"]} play */
function turns(play) {
  const busy = play.turns[play.turns.length - 1]?.state === "streaming";
  return h(
    "div",
    { class: "turns", role: "log", "aria-live": "polite", "aria-busy": String(busy), tabindex: "0", "aria-label": t("play.chat"), key: `turns-${play.conversation?.id}`, ref: stick },
    play.error && h("div", { class: "alert violation" }, play.error),
    play.turns.length === 0 && !play.error && empty(t("play.hello"), t("play.hello.hint")),
    play.turns.map((turn, at) => turnView(turn, `t${at}`)),
  );
}

/** Keep the end in sight, unless the reader has scrolled up. @param {HTMLElement & {_end?: boolean, _height?: number}} element @param {boolean} isNew */
function stick(element, isNew) {
  if (isNew) element.addEventListener("scroll", () => (element._end = element.scrollHeight - element.scrollTop - element.clientHeight < 60));
  const grown = element.scrollHeight !== element._height;
  element._height = element.scrollHeight;
  if (isNew || (grown && element._end !== false)) element.scrollTop = element.scrollHeight;
}

/** @param {Turn} turn @param {string} key */
function turnView(turn, key) {
  const nothing = turn.parts.length === 0 && turn.state === "streaming";
  return h(
    "article",
    { class: `turn ${turn.role} ${turn.state}`, key, "aria-label": t(`role.${turn.role}`) },
    nothing && h("span", { class: "dots", role: "img", "aria-label": t("play.waiting") }, h("i", null), h("i", null), h("i", null)),
    turn.parts.map((part, at) => partView(part, turn, `${key}p${at}`)),
    turn.note && h("p", { class: `note ${turn.state}` }, turn.note),
  );
}

/** @param {import("../parts/reply.js").Part} part @param {Turn} turn @param {string} key @returns {Child} */
function partView(part, turn, key) {
  if (part.type === "text") return h("div", { class: "bubble", key }, turn.role === "user" ? h("p", { class: "plain" }, part.text) : markdown(part.text));
  if (part.type === "form") return h("div", { class: "bubble form", key }, form(part.spec, key, turn.submitted === true || turn.state === "streaming", say));
  return h(
    "details",
    { class: "bubble tool", key },
    h("summary", null, h("span", { class: "gear", "aria-hidden": "true" }, "⚙"), h("code", null, part.name), badge(part.args === null ? "client" : "mapping", t(part.args === null ? "tool.client" : "tool.mapping"))),
    part.args === null ? h("p", { class: "quiet" }, t("tool.client.hint")) : json(asJson(part.args)),
  );
}

/** @param {string} text */
function asJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @param {State["play"]} play */
function composer(play) {
  const write = (/** @type {string} */ text) => {
    const area = /** @type {HTMLTextAreaElement} */ (document.getElementById("message"));
    area.value = `${text} ${area.value}`.trim();
    area.focus();
  };
  const submit = (/** @type {HTMLFormElement} */ form) => {
    const area = form.elements.namedItem("message");
    if (!(area instanceof HTMLTextAreaElement) || !area.value.trim() || play.busy) return;
    say(area.value);
    area.value = "";
  };
  return h(
    "form",
    {
      class: "composer",
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        submit(event.target);
      },
    },
    h("div", { class: "tries", role: "group", "aria-label": t("play.try") }, TRY.map((word) => button(word, () => write(word), { class: "chip", title: t(/** @type {any} */ (`word.${word.slice(2, -2)}`)) }))),
    h(
      "div",
      { class: "line" },
      h("textarea", {
        id: "message",
        name: "message",
        rows: "2",
        "data-search": true,
        placeholder: t("play.message"),
        "aria-label": t("play.message"),
        onkeydown: (/** @type {any} */ event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          submit(event.target.form);
        },
      }),
      play.busy ? button(t("play.stop"), stop, { class: "danger" }) : h("button", { type: "submit", class: "primary" }, t("play.send")),
    ),
  );
}

/** @param {State} state */
function wire({ play, entries }) {
  const entry = entries.find((one) => one.id === play.request);
  const last = play.events[play.events.length - 1]?.at_ms ?? 0;
  return [
    h("header", { class: "wire-head" }, h("h2", { class: "small" }, t("play.wire")), play.status && statusBadge(play.status), play.events.length > 0 && h("span", { class: "quiet" }, `${plural("events", play.events.length)} · ${duration(last)}`), entry?.fault && badge("fault", entry.fault), play.request && a(linkTo("requests", [play.request]), t("play.its.request"))),
    h("div", { class: "wire-body", tabindex: "0", role: "region", "aria-label": t("play.wire") }, play.events.length ? timeline(play.events, last, play.request ?? "") : play.answer ? json(play.answer) : h("p", { class: "quiet" }, t("play.wire.empty"))),
  ];
}
