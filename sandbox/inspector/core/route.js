// @ts-check
/** What is open stands in the address, behind the `#`: `#/requests/req_1?status=4xx`. */

/** @typedef {{view: string, parts: string[], query: Record<string, string>}} Route */

export const VIEWS = ["requests", "playground", "apps", "faults", "contract"];

/** @param {string} hash @returns {Route} */
export function readRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...parts] = path.split("/").filter(Boolean).map(decoded);
  return { view: VIEWS.includes(view) ? view : "requests", parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** @param {string} view @param {Array<string | undefined>} [parts] @param {Record<string, string | undefined>} [query] */
export function linkTo(view, parts = [], query = {}) {
  const path = [view, ...parts.filter((part) => part !== undefined && part !== "")].map((part) => encodeURIComponent(part ?? ""));
  const given = Object.entries(query).filter(([, value]) => value) .map(([name, value]) => [name, String(value)]);
  return `#/${path.join("/")}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
}

/** @param {string} link */
export function go(link) {
  if (location.hash !== link) location.hash = link;
}

/** Go without a new step in the history: for what changes with each key. @param {string} link */
export function become(link) {
  history.replaceState(null, "", link);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Take a token out of the address, if one is there, before anything else can see it. @returns {string | null} */
export function takeToken() {
  const found = /^#(?:\/\w*\?)?(?:.*&)?token=([^&]+)/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return decoded(found[1]);
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
