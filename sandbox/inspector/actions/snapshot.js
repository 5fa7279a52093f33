// @ts-check
/** Takes an app out as a file, and puts one back. */

import { appPath, controlText } from "../core/server.js";
import { t } from "../core/i18n.js";
import { loadApps, openApp } from "./apps.js";
import { attempt, download, say } from "./talk.js";

/** @param {string} app @param {boolean} secrets whether keys and webhook secrets stay in it */
export async function saveSnapshot(app, secrets) {
  const snapshot = await attempt(() => controlText("GET", `${appPath(app, "snapshot")}${secrets ? "?secrets=true" : ""}`));
  if (snapshot !== undefined) download(`${app}.snapshot.json`, snapshot);
}

/** @param {string} app @param {File} file */
export async function restoreSnapshot(app, file) {
  const text = await file.text();
  const restored = await attempt(() => controlText("PUT", appPath(app, "snapshot"), text));
  if (restored === undefined) return;
  say(t("snapshot.restored", { app }));
  await loadApps();
  await openApp(app);
}
