/** Calls the Apps API through the page's own server, which adds the key (vite.config.ts). */

const API = "/api/dimedove";

export interface Agent {
  name: string | null;
  config: { primary_color: string | null };
}

export interface Conversation {
  id: string;
  generated_title: Record<"en-ca" | "fr-ca", string> | null;
}

/** The events that the page shows; there are more, which it leaves out. */
export type StreamEvent =
  | { type: "response.output_text.delta"; delta: string; output_index: number }
  | { type: "response.function_call.start"; name: string; output_index: number }
  | { type: "response.data_spec"; output_index: number }
  | { type: "response.failed"; error: { message: string } }
  | { type: "response.created" | "response.completed" };

export async function getAgent(): Promise<Agent> {
  return (await call<{ agent: Agent }>("GET", "/config")).agent;
}

export async function createConversation(user: string): Promise<Conversation> {
  return call("POST", "/conversations", { external_user_id: user });
}

export async function getConversation(id: string): Promise<Conversation> {
  return call("GET", `/conversations/${id}`);
}

/** Send a message, and yield the events of the reply as they come. A stream without its last event is an error. */
export async function* sendMessage(id: string, content: string, signal: AbortSignal): AsyncGenerator<StreamEvent> {
  const response = await send("POST", `/conversations/${id}`, { message: { content }, stream: true }, signal);
  if (!response.body) throw new Error("no body");
  for await (const data of readEvents(response.body)) {
    const event = JSON.parse(data) as StreamEvent;
    yield event;
    if (event.type === "response.failed") throw new Error(event.error.message);
    if (event.type === "response.completed") return;
  }
  throw new Error("The reply broke off.");
}

/** Yield the data of server-sent events: any line end, comments, several data lines, characters cut in two. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      rest += decoder.decode(chunk.value, { stream: true });
      // A CR at the very end may be the first half of a CR LF.
      const lines = rest.split(/\r\n|\n|\r(?=[^])/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [, value] = /^data:? ?(.*)$/s.exec(line) ?? [];
        if (value !== undefined) data.push(value);
        if (line === "" && data.join("")) yield data.join("\n");
        if (line === "") data = [];
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await send(method, path, body)).json() as Promise<T>;
}

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(API + path, { method, headers, body: body ? JSON.stringify(body) : null, signal });
  if (response.ok) return response;
  // What a proxy in between answers is no envelope.
  const failure = (await response.json().catch(() => null)) as { error?: { message: string } } | null;
  throw new Error(failure?.error?.message ?? `status ${response.status}`);
}
