// @ts-check
/** Puts scenarios on apps, and takes a conversation out as one. */

import { appPath, control, controlText } from "../core/server.js";
import { store } from "../core/state.js";
import { t } from "../core/i18n.js";
import { loadApps, openApp } from "./apps.js";
import { attempt, download, say } from "./talk.js";

export async function loadScenarios() {
  const list = await attempt(() => control("GET", "/scenarios"));
  if (list) store.set({ scenarios: list.data });
}

/** @param {string} app @param {string | null} name */
export async function putScenario(app, name) {
  const put = await attempt(() => control("PUT", appPath(app, "scenario"), { name }));
  if (!put) return;
  say(t(name === null ? "scenario.off" : "scenario.on", { name: name ?? "" }));
  await loadApps();
  await openApp(app);
}

/** @param {string} app @param {string} conversation */
export async function saveScenario(app, conversation) {
  const file = await attempt(() => controlText("GET", appPath(app, "conversations", conversation, "scenario")));
  if (file !== undefined) download(`${conversation}.toml`, file);
}
