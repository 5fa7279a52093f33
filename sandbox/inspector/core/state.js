// @ts-check
/** What the page knows, and the store that holds it. */

import { createStore } from "./store.js";
import { preferred } from "./i18n.js";
import { readRoute } from "./route.js";

/** @typedef {import("./server.js").Entry} Entry */
/** @typedef {import("./server.js").App} App */
/** @typedef {import("./server.js").Api} Api */
/** @typedef {import("../parts/reply.js").Part} Part */
/** @typedef {import("../parts/contract.js").Contract} Contract */
/** @typedef {{event: string, data: any, at_ms: number}} StreamEvent */
/** @typedef {{role: "user" | "assistant", parts: Part[], state: "streaming" | "done" | "failed" | "cut", note?: string, submitted?: boolean}} Turn */
/** @typedef {"connecting" | "live" | "lost" | "off"} Connection */
/** @typedef {{app: string, list: Api["Conversation"][] | null, more: boolean, conversation: Api["Conversation"] | null, turns: Turn[], events: StreamEvent[], answer: any, request: string | null, status: number | null, busy: boolean, error: string | null}} Play */
/** @typedef {{app: string, clock: import("./server.js").Clock | null, conversations: Api["Conversation"][] | null, more: boolean, detail: Api["ConversationDetail"] | null, metrics: Api["AppMetrics"] | null, error: string | null}} Data */
/** @typedef {{app: string, faults: import("./server.js").QueuedFault[] | null, replies: import("./server.js").QueuedReply[] | null}} Queues */
/** @typedef {{app: string, list: import("./server.js").Delivery[] | null, more: boolean}} Webhooks */
/** @typedef {{answer: string | null, status: number | null, ms: number, events: StreamEvent[]}} Trial */

/**
 * @typedef {object} State
 * @property {import("./route.js").Route} route what is open
 * @property {import("./i18n.js").Language} language
 * @property {"auto" | "light" | "dark"} theme
 * @property {Connection} connection to the live events
 * @property {"help" | "token" | null} dialog
 * @property {{text: string, bad: boolean} | null} toast
 * @property {Entry[]} entries newest first
 * @property {boolean} loading whether older entries are still being read
 * @property {boolean} paused
 * @property {Entry[]} waiting what came during the pause, newest first
 * @property {string | null} cursor the entry that the arrows stand on
 * @property {{top: number, height: number}} scroll of the list of requests
 * @property {boolean} raw whether bodies are shown as one line
 * @property {Entry | null} opened an entry that was opened and is not in the list
 * @property {boolean} missing whether the entry that the address names is gone
 * @property {App[] | null} apps those that exist
 * @property {Record<string, App>} looked those that were looked at, which need not exist
 * @property {Play} play
 * @property {Data} data of the app that is open
 * @property {Queues} queues of the app that is open
 * @property {import("./server.js").Verdict | null} verdict on the client of the app that is open
 * @property {import("./server.js").Coverage | null} coverage of the contract by the client of the app that is open
 * @property {Webhooks} webhooks of the app that is open
 * @property {import("./server.js").Scenario[] | null} scenarios those that an app can have
 * @property {Contract | null} contract
 * @property {Trial | null} trial the last answer that was tried out in the contract
 */

/** @type {Play} */
export const NO_PLAY = { app: "", list: null, more: false, conversation: null, turns: [], events: [], answer: null, request: null, status: null, busy: false, error: null };
/** @type {Data} */
export const NO_DATA = { app: "", clock: null, conversations: null, more: false, detail: null, metrics: null, error: null };

export const store = createStore({
  route: readRoute(""),
  language: chosenLanguage(),
  theme: chosenTheme(),
  connection: "connecting",
  dialog: null,
  toast: null,
  entries: [],
  loading: true,
  paused: false,
  waiting: [],
  cursor: null,
  scroll: { top: 0, height: 800 },
  raw: false,
  opened: null,
  missing: false,
  apps: null,
  looked: {},
  play: NO_PLAY,
  data: NO_DATA,
  queues: { app: "", faults: null, replies: null },
  verdict: null,
  coverage: null,
  webhooks: { app: "", list: null, more: false },
  scenarios: null,
  contract: null,
  trial: null,
});

/** @param {Partial<Play>} changes */
export const setPlay = (changes) => store.set({ play: { ...store.get().play, ...changes } });

/** @param {Partial<Data>} changes */
export const setData = (changes) => store.set({ data: { ...store.get().data, ...changes } });

function chosenLanguage() {
  const kept = localStorage.getItem("dimedove.language");
  return kept === "en" || kept === "fr" ? kept : preferred();
}

function chosenTheme() {
  const kept = localStorage.getItem("dimedove.theme");
  return kept === "light" || kept === "dark" ? kept : "auto";
}
