// @ts-check
/** Reads what of the contract an app's client has met. */

import { appPath, control } from "../core/server.js";
import { store } from "../core/state.js";
import { attempt } from "./talk.js";

/** @param {string} app */
export async function loadCoverage(app) {
  if (store.get().coverage?.app_id !== app) store.set({ coverage: null });
  const coverage = await attempt(() => control("GET", appPath(app, "coverage")));
  if (coverage) store.set({ coverage });
}
