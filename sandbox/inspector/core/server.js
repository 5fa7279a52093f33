// @ts-check
/** The one place that talks to the server: the control API with the control token, the Apps API with a key. */

/** @typedef {import("../types/control").components["schemas"]} Control */
/** @typedef {import("../types/api").components["schemas"]} Api */
/** @typedef {Control["RequestEntry"]} Entry */
/** @typedef {Control["App"]} App */
/** @typedef {Control["QueuedFault"]} QueuedFault */
/** @typedef {Control["QueuedReply"]} QueuedReply */
/** @typedef {Control["Clock"]} Clock */
/** @typedef {Control["Verdict"]} Verdict */
/** @typedef {Control["Coverage"]} Coverage */
/** @typedef {Control["WebhookDelivery"]} Delivery */
/** @typedef {Control["ScenarioList"]["data"][number]} Scenario */
/** @typedef {{method: string, path: string, headers?: Record<string, string>, body?: string, signal?: AbortSignal}} Call */

const TOKEN = "dimedove.token";
const KEY = "dimedove.key";
const CONTROL = "/_sandbox";

/** What the server refused, or that it can't be reached (status 0). */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @type {(() => void) | null} */
let askForToken = null;

/** @param {() => void} ask is called when the control API wants a token */
export function whenTokenIsNeeded(ask) {
  askForToken = ask;
}

/** @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

export const apiKey = () => sessionStorage.getItem(KEY) ?? "sk_test_inspector";

/** @param {string} key */
export function keepApiKey(key) {
  sessionStorage.setItem(KEY, key);
}

/**
 * Send something to the Apps API, as a client would.
 * @param {Call} call
 */
export async function send({ method, path, headers = {}, body, signal }) {
  const given = new Headers(headers);
  if (!given.has("authorization")) given.set("authorization", `Bearer ${apiKey()}`);
  if (body !== undefined && !given.has("content-type")) given.set("content-type", "application/json");
  return await reach(path, { method, headers: given, body, signal });
}

/**
 * Call the Apps API and read its JSON.
 * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>}
 */
export async function api(method, path, body) {
  const answer = await send({ method, path: `/v1${path}`, body: body === undefined ? undefined : JSON.stringify(body) });
  return await opened(answer);
}

/**
 * Call the control API; a 204 is null, a text a string.
 * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>}
 */
export async function control(method, path, body) {
  return await opened(await controlled(method, path, body === undefined ? undefined : JSON.stringify(body)));
}

/**
 * Call the control API with JSON that is written already, and read its answer as the text that it is: no number in
 * either is rounded.
 * @param {string} method @param {string} path @param {string} [body]
 */
export async function controlText(method, path, body) {
  const answer = await controlled(method, path, body);
  if (!answer.ok) throw new Refused(answer.status, await said(answer));
  return await answer.text();
}

/** @param {string} method @param {string} path @param {string} [body] */
async function controlled(method, path, body) {
  const headers = controlHeaders();
  if (body !== undefined) headers.set("content-type", "application/json");
  const answer = await reach(CONTROL + path, { method, headers, body });
  if (answer.status === 401) askForToken?.();
  return answer;
}

/** Open the stream of what happens. @param {AbortSignal} signal */
export async function listen(signal) {
  const answer = await reach(`${CONTROL}/events`, { headers: controlHeaders(), signal });
  if (answer.status === 401) askForToken?.();
  if (!answer.ok || !answer.body) throw new Refused(answer.status, await said(answer));
  return answer.body;
}

/** Read a public document. @param {string} path */
export async function readDocument(path) {
  return await opened(await reach(path, {}));
}

/** @param {string} appId @param {string[]} parts */
export const appPath = (appId, ...parts) => `/apps/${[appId, ...parts].map(encodeURIComponent).join("/")}`;

function controlHeaders() {
  const headers = new Headers();
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.set("authorization", `Bearer ${token}`);
  return headers;
}

/** @param {string} path @param {RequestInit} init */
async function reach(path, init) {
  try {
    return await fetch(path, { cache: "no-store", credentials: "omit", redirect: "error", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, error instanceof Error ? error.message : String(error));
  }
}

/** @param {Response} answer @returns {Promise<any>} */
async function opened(answer) {
  if (!answer.ok) throw new Refused(answer.status, await said(answer));
  if (answer.status === 204) return null;
  try {
    return answer.headers.get("content-type")?.includes("json") ? await answer.json() : await answer.text();
  } catch (error) {
    throw new Refused(answer.status, error instanceof Error ? error.message : String(error));
  }
}

/** What an error answer says: its envelope's message, or its own text. @param {Response} answer */
export async function said(answer) {
  const text = await answer.text().catch(() => "");
  try {
    return String(JSON.parse(text).error.message);
  } catch {
    return text.slice(0, 300) || `${answer.status}`;
  }
}
