/**
 * Sends one request to the sandbox.
 *
 * Not by `fetch`: tests replace it (MSW, `vi.stubGlobal`, happy-dom), and what drives a test must not pass through.
 */

import * as http from "node:http";
import * as https from "node:https";

/** The sandbox did not start, can't be reached, or refused a call of its control API. */
export class SandboxError extends Error {
  override name = "SandboxError";
}

export interface Call {
  method: string;
  url: string;
  body?: unknown;
  token?: string | undefined;
}

/** Return the body of the response; a status of 400 and more is an error that says why. */
export async function send({ method, url, body, token }: Call): Promise<Buffer> {
  const { status, content } = await exchange({ method, url, body, token }).catch((error: unknown) => {
    throw new SandboxError(`${method} ${url}: no response: ${reason(error)}`);
  });
  if (status >= 400) throw new SandboxError(`${method} ${url}: ${messageOf(content) ?? `status ${status}`}`);
  return content;
}

/** Return the function of Node that sends a request to a URL. */
export function requestOf(url: string): typeof http.request {
  return url.startsWith("https:") ? https.request : http.request;
}

/** Return the message of an error envelope. */
export function messageOf(content: Buffer | string): string | undefined {
  try {
    return (JSON.parse(content.toString()) as { error?: { message?: string } }).error?.message;
  } catch {
    return undefined;
  }
}

function exchange({ method, url, body, token }: Call): Promise<{ status: number; content: Buffer }> {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  return new Promise((resolve, reject) => {
    // A connection of its own: a kept one may be closed just as it is used again.
    const sent = requestOf(url)(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, content: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message || ("code" in error ? String(error.code) : error.name) : String(error);
}
