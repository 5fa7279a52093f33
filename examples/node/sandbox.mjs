// Drives one app of a running sandbox, for a test. Apps share nothing: take a new one for each test and run
// as many of them at once as you like. Copy this file; it is all that a suite needs.

import { AssertionError } from "node:assert";

const url = (process.env.DIMEDOVE_SANDBOX_URL ?? "http://127.0.0.1:8010").replace(/\/(v1\/?)?$/, "");
const token = process.env.DIMEDOVE_SANDBOX_CONTROL_TOKEN;

export class App {
  baseUrl = `${url}/v1`;
  apiKey = "sk_test_node";

  // A name makes the app's id readable in the sandbox's log; the rest of it keeps tests apart.
  constructor(name = "test") {
    this.appId = `app_${name.replace(/\W+/g, "_").slice(0, 80)}_${crypto.randomUUID().slice(0, 8)}`;
  }

  fault = (kind, fields = {}) => this.#own("POST", "/faults", { kind, ...fields });
  reply = (text, rules = {}) => this.#own("POST", "/replies", { output: [{ type: "message", text }], ...rules });
  settings = (changes) => this.#own("PATCH", "", changes);
  populate = (conversations, more = {}) => this.#own("POST", "/populate", { conversations, ...more });
  freeze = (now) => this.#own("PUT", "/clock", { now });
  advance = (seconds) => this.#own("POST", "/clock/advance", { seconds });
  sendWebhook = (type, data = {}) => this.#own("POST", "/webhooks/send", { type, data });
  delete = () => this.#own("DELETE", "");

  // What the client sent, oldest first.
  async requests(operation) {
    const query = new URLSearchParams({ app_id: this.appId, limit: 100, ...(operation && { operation }) });
    return (await control("GET", `/requests?${query}`)).data.reverse();
  }

  async verify(wanted) {
    const { verified, count, closest } = await control("POST", "/requests/verify", { app_id: this.appId, ...wanted });
    if (verified) return count;
    const misses = (closest?.misses ?? []).map(
      ({ place, expected, got }) => `  ${place}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
    );
    throw new AssertionError({ message: [`${count} requests match; the closest:`, ...misses].join("\n") });
  }

  #own(method, path, body) {
    return control(method, `/apps/${this.appId}${path}`, body);
  }
}

async function control(method, path, body) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${url}/_sandbox${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}
