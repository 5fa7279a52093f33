/** Stands in for the backend of a page: sends what the page asks of it on to an app, with the app's key. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { App } from "./app.js";
import { requestOf } from "./http.js";

/** What only a page sends, and its backend would not. */
const OF_PAGES = /^(origin|referer|cookie|host|connection|sec-.*)$/;

/** A running backend: its address without a slash at the end, and how to end it. */
export interface Backend {
  url: string;
  stop(): Promise<void>;
}

/** Start a server whose paths are those of one app: `/conversations` is `/v1/apps/{app_id}/conversations`. */
export async function startBackend(app: App): Promise<Backend> {
  const server = createServer((request, response) => forward(app, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const ended = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await ended;
    },
  };
}

/** Send a request on, and its response back as it comes; where one side breaks off, so does the other. */
function forward(app: App, request: IncomingMessage, response: ServerResponse): void {
  const { method = "GET", url: path = "/" } = request;
  const kept = Object.entries(request.headers).filter(([name]) => !OF_PAGES.test(name));
  const headers = { ...Object.fromEntries(kept), authorization: `Bearer ${app.apiKey}` };
  const url = `${app.baseUrl}/apps/${app.appId}${path}`;
  const sent = requestOf(url)(url, { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  sent.on("error", () => response.destroy());
  response.on("close", () => sent.destroy());
  request.pipe(sent);
}
