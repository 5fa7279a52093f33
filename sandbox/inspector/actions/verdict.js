// @ts-check
/** Reads the verdict on an app's client, and reads it again when the client goes on. */

import { appPath, control } from "../core/server.js";
import { store } from "../core/state.js";
import { attempt } from "./talk.js";

const SOON = 400;
let waiting = 0;

/** @param {string} app */
export async function loadVerdict(app) {
  if (store.get().verdict?.app_id !== app) store.set({ verdict: null });
  const verdict = await attempt(() => control("GET", appPath(app, "verdict")));
  const { view, parts } = store.get().route;
  if (verdict && view === "apps" && parts[0] === app) store.set({ verdict });
}

/** A request came: where its app's verdict is open, read it again, once for many. @param {string | null} app */
export function judgeSoon(app) {
  const { view, parts } = store.get().route;
  if (waiting || view !== "apps" || parts[1] !== "verdict" || parts[0] !== app) return;
  waiting = window.setTimeout(() => {
    waiting = 0;
    loadVerdict(parts[0]);
  }, SOON);
}
