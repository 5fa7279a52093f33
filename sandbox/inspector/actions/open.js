// @ts-check
/** What is read when a view is opened, and when something there has changed. It sends GETs alone. */

import { readDocument } from "../core/server.js";
import { store } from "../core/state.js";
import { readContract } from "../parts/contract.js";
import { openApp, loadApp, loadApps } from "./apps.js";
import { loadScenarios } from "./scenarios.js";
import { openEntry } from "./requests.js";
import { openPlayground } from "./playground.js";
import { openQueues } from "./faults.js";
import { attempt } from "./talk.js";
import { loadVerdict } from "./verdict.js";
import { loadCoverage } from "./coverage.js";
import { loadWebhooks } from "./webhooks.js";

/** @typedef {import("../core/route.js").Route} Route */

export const FIRST_APP = "app_demo";

/** @param {Route} route @param {Route | null} before */
export function opened({ view, parts }, before) {
  if (before && view === before.view && parts.join("/") === before.parts.join("/") && store.get().apps) return;
  if (!store.get().apps) loadApps();
  if (!store.get().contract && (view === "contract" || (view === "requests" && parts[0]))) loadContract();
  if (view === "requests" && parts[0]) openEntry(parts[0]);
  else if (view === "playground") openPlayground(parts[0] ?? (store.get().play.app || FIRST_APP), parts[1]);
  else if (view === "apps") parts[0] ? openAppAt(parts) : loadApps();
  else if (view === "faults") openQueues(parts[0] ?? FIRST_APP);
  if (view === "contract") store.set({ trial: null });
}

/** @param {string[]} parts */
function openAppAt([app, what, which]) {
  openApp(app, what, which);
  if (!store.get().scenarios) loadScenarios();
  if (what === "verdict") loadVerdict(app);
  if (what === "coverage") loadCoverage(app);
  if (what === "webhooks") loadWebhooks(app);
}

/** Read again what is open: something may have been missed. */
export function refreshed() {
  loadApps();
  const { view, parts } = store.get().route;
  if (view === "faults") openQueues(parts[0] ?? FIRST_APP);
  if (view === "apps" && parts[0]) openAppAt(parts);
}

/** @param {{app_id: string | null, change: string}} what */
export function changed({ app_id: app, change }) {
  const { view, parts } = store.get().route;
  const concerned = app === null || app === (parts[0] ?? FIRST_APP);
  if (change === "deleted" || change === "reset" || (view === "apps" && !parts[0])) loadApps();
  if (view === "faults" && concerned && /faults|replies|deleted|reset/.test(change)) openQueues(parts[0] ?? FIRST_APP);
  if (view === "apps" && parts[0] && concerned) openAppAt(parts);
  if (change === "settings" && app && view === "playground") loadApp(app);
}

async function loadContract() {
  const document = await attempt(() => readDocument("/_sandbox/contract.json"));
  if (document) store.set({ contract: readContract(document) });
}
