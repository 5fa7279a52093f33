/** The state of one conversation, in the manner of the Vercel AI SDK: messages of parts, and a status. */

import { useRef, useState } from "react";

import { createConversation, getConversation, sendMessage, type Conversation, type StreamEvent } from "./api";

export type Part = { type: "text"; text: string } | { type: "tool"; name: string };
export interface Message {
  role: "user" | "assistant";
  /** By the `output_index` of its events. */
  parts: Part[];
}
export type Status = "ready" | "submitted" | "streaming" | "error";

export function useChat(user: string) {
  const [messages, setMessages] = useState<Message[]>([]);
  const [status, setStatus] = useState<Status>("ready");
  const [error, setError] = useState("");
  const [conversation, setConversation] = useState<Conversation | null>(null);
  const abort = useRef(new AbortController());

  /** Put the last message in place of what it was. */
  const update = (change: (message: Message) => Message) =>
    setMessages((all) => [...all.slice(0, -1), change(all.at(-1) ?? { role: "assistant", parts: [] })]);

  async function begin(): Promise<Conversation> {
    const created = await createConversation(user);
    setConversation(created);
    return created;
  }

  async function reply(text: string) {
    abort.current = new AbortController();
    setStatus("submitted");
    setError("");
    try {
      const { id } = conversation ?? (await begin());
      for await (const event of sendMessage(id, text, abort.current.signal)) {
        setStatus("streaming");
        update((message) => ({ ...message, parts: withEvent(message.parts, event) }));
      }
      setStatus("ready");
      // The title comes with the first reply.
      setConversation(await getConversation(id));
    } catch (failure) {
      if (abort.current.signal.aborted) return setStatus("ready");
      setError(failure instanceof Error ? failure.message : String(failure));
      setStatus("error");
    }
  }

  return {
    messages,
    status,
    error,
    conversation,
    send(text: string) {
      setMessages((all) => [...all, { role: "user", parts: [{ type: "text", text }] }, { role: "assistant", parts: [] }]);
      void reply(text);
    },
    /** Ask for the last reply again. */
    retry() {
      update((message) => ({ ...message, parts: [] }));
      void reply(textOf(messages.at(-2)));
    },
    stop: () => abort.current.abort(),
  };
}

export function textOf(message: Message | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}

function withEvent(parts: Part[], event: StreamEvent): Part[] {
  if (event.type === "response.function_call.start") {
    return parts.toSpliced(event.output_index, 1, { type: "tool", name: event.name });
  }
  if (event.type !== "response.output_text.delta") return parts;
  const before = parts[event.output_index];
  const text = (before?.type === "text" ? before.text : "") + event.delta;
  return parts.toSpliced(event.output_index, 1, { type: "text", text });
}
