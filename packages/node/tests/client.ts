/** A client of the Apps API, as small as a test needs it. */

import type { App } from "dimedove-sandbox";

/** Send a request to the app and return the response. */
export function call(app: App, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { Authorization: `Bearer ${app.apiKey}`, "Content-Type": "application/json" };
  return fetch(`${app.baseUrl}/apps/${app.appId}${path}`, {
    method,
    headers,
    body: body ? JSON.stringify(body) : null,
  });
}

/** Create a conversation and return it. */
export async function create(app: App, body: object = {}): Promise<{ id: string; created_at: number }> {
  return (await call(app, "POST", "/conversations", body)).json() as Promise<{ id: string; created_at: number }>;
}

/** Send a message and return the text of the reply. */
export async function ask(app: App, id: string, content: string): Promise<string> {
  const response = await call(app, "POST", `/conversations/${id}`, { message: { content }, stream: false });
  const { output } = (await response.json()) as { output: { content: { text: string }[] }[] };
  return output.map((item) => item.content.map(({ text }) => text).join("")).join("");
}
