// @ts-check
/** What can be done with apps: settings, data, clock, keys. */

import { api, appPath, control, Refused, send } from "../core/server.js";
import { NO_DATA, setData, store } from "../core/state.js";
import { go, linkTo } from "../core/route.js";
import { t, plural } from "../core/i18n.js";
import { HARMLESS } from "../parts/entries.js";
import { attempt, complain, say } from "./talk.js";

/** @typedef {import("../core/server.js").App} App */

/** Read from the Apps API without using up a fault that waits for the client under test. @param {string} path @returns {Promise<any>} */
export async function look(path) {
  const answer = await send({ method: "GET", path: `/v1${path}`, headers: { "Sandbox-Fault": HARMLESS } });
  const body = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, body?.error?.message ?? `${answer.status}`);
  return body;
}

export async function loadApps() {
  const list = await attempt(allApps);
  if (list) store.set({ apps: list });
}

/** Read every page of the apps. @returns {Promise<App[]>} */
async function allApps() {
  const apps = [];
  let page;
  do {
    page = await control("GET", `/apps?limit=500${page ? `&after=${page.last_id}` : ""}`);
    apps.push(...page.data);
  } while (page.has_more);
  return apps;
}

/** The app's settings and counts. @param {string} id */
export async function loadApp(id) {
  const app = await attempt(() => control("GET", appPath(id)));
  if (!app) return;
  keep(app);
}

/** @param {App} app */
function keep(app) {
  const { apps, looked } = store.get();
  store.set({ apps: apps && apps.map((one) => (one.app_id === app.app_id ? app : one)), looked: { ...looked, [app.app_id]: app } });
}

/** @param {string} id */
export const appOf = (id) => store.get().looked[id] ?? null;

/** Show an app: what is there, the conversation of the address, or the user's. @param {string} id @param {string} [what] @param {string} [which] */
export async function openApp(id, what, which) {
  const before = store.get().data;
  if (before.app !== id) setData({ ...NO_DATA, app: id });
  setData({ detail: before.detail?.id === which ? before.detail : null, error: null });
  loadApp(id);
  attempt(() => control("GET", appPath(id, "clock"))).then((clock) => clock && setData({ clock }));
  try {
    const path = what === "users" && which ? appPath(id, "users", which, "conversations") : appPath(id, "conversations");
    const [page, metrics, detail] = await Promise.all([look(`${path}?limit=50`), look(appPath(id, "metrics")), what === "conversations" && which ? look(appPath(id, "conversations", which)) : null]);
    if (store.get().data.app === id) setData({ conversations: page.data, more: page.has_more, metrics, detail });
  } catch (error) {
    if (error instanceof Refused && store.get().data.app === id) setData({ conversations: [], metrics: null, error: error.message });
    else complain(error);
  }
}

/** @param {string} id @param {string} [user] */
export async function moreConversations(id, user) {
  const have = store.get().data.conversations ?? [];
  const path = user ? appPath(id, "users", user, "conversations") : appPath(id, "conversations");
  const page = await attempt(() => look(`${path}?limit=100&after=${have[have.length - 1]?.id}`));
  if (page) setData({ conversations: [...have, ...page.data], more: page.has_more });
}

/** @param {string} id @param {Record<string, unknown>} changes @returns {Promise<boolean>} */
export async function change(id, changes) {
  const app = await attempt(() => control("PATCH", appPath(id), changes));
  if (!app) return false;
  keep(app);
  loadApps();
  say(t("saved"));
  return true;
}

/** @param {string} id @param {{conversations: number, users?: number, external_user_id?: string}} amount */
export async function populate(id, amount) {
  const counts = await attempt(() => control("POST", appPath(id, "populate"), amount));
  if (!counts) return;
  say(t("populated", { n: plural("conversations", counts.conversations) }));
  await openApp(id);
}

/** @param {string} id */
export async function reset(id) {
  await attempt(() => control("DELETE", appPath(id)));
  say(t("reset.done", { app: id }));
  await loadApps();
  await openApp(id);
}

/** @param {string} id @param {"freeze" | "advance" | "release"} what @param {number} [seconds] */
export async function clock(id, what, seconds = 0) {
  const path = appPath(id, "clock");
  const now = store.get().data.clock?.now ?? Math.floor(Date.now() / 1000);
  const calls = {
    freeze: () => control("PUT", path, { now: seconds || Math.floor(now) }),
    advance: () => control("POST", `${path}/advance`, { seconds }),
    release: () => control("DELETE", path).then(() => control("GET", path)),
  };
  const read = await attempt(calls[what]);
  if (read) setData({ clock: read });
}

/** @param {string} id @param {string} conversation */
export async function deleteConversation(id, conversation) {
  const done = await attempt(() => api("DELETE", appPath(id, "conversations", conversation)));
  if (done) go(linkTo("apps", [id]));
}
