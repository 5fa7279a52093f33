/** The state of one conversation, in the manner of the Vercel AI SDK: messages of parts, and a status. */

import { useRef, useState } from "react";

import { createConversation, getConversation, sendMessage, type Conversation, type StreamEvent } from "./api";

/** `index` is the `output_index` of its events. */
export type Part = { index: number } & (
  | { type: "text"; text: string }
  | { type: "tool"; name: string }
  | { type: "form" }
);
export interface Message {
  role: "user" | "assistant";
  parts: Part[];
}
export type Status = "ready" | "submitted" | "streaming" | "error";

export function useChat(user: string) {
  const [messages, setMessages] = useState<Message[]>([]);
  const [status, setStatus] = useState<Status>("ready");
  const [error, setError] = useState("");
  const [conversation, setConversation] = useState<Conversation | null>(null);
  const abort = useRef(new AbortController());

  /** Change the last message. */
  const update = (change: (message: Message) => Message) =>
    setMessages((all) => [...all.slice(0, -1), change(all.at(-1) ?? { role: "assistant", parts: [] })]);

  async function begin(): Promise<Conversation> {
    const created = await createConversation(user);
    setConversation(created);
    return created;
  }

  async function reply(text: string) {
    const { signal } = (abort.current = new AbortController());
    setStatus("submitted");
    setError("");
    try {
      const { id } = conversation ?? (await begin());
      for await (const event of sendMessage(id, text, signal)) {
        setStatus("streaming");
        update((message) => ({ ...message, parts: withEvent(message.parts, event) }));
      }
      setStatus("ready");
      // The title comes with the first reply. Without one the old is good enough.
      void getConversation(id).then(setConversation, () => undefined);
    } catch (failure) {
      if (signal.aborted) return setStatus("ready");
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
      setMessages((all) => [
        ...all,
        { role: "user", parts: [{ index: 0, type: "text", text }] },
        { role: "assistant", parts: [] },
      ]);
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

/** Return the parts of a message after an event: a delta adds to the part of its `output_index`, or begins it. */
function withEvent(parts: Part[], event: StreamEvent): Part[] {
  switch (event.type) {
    case "response.function_call.start":
      return [...parts, { index: event.output_index, type: "tool", name: event.name }];
    case "response.data_spec":
      // A form comes in many steps. Drawing it is beyond this example.
      return parts.at(-1)?.type === "form" ? parts : [...parts, { index: event.output_index, type: "form" }];
    case "response.output_text.delta": {
      const last = parts.at(-1);
      if (last?.type !== "text" || last.index !== event.output_index) {
        return [...parts, { index: event.output_index, type: "text", text: event.delta }];
      }
      return [...parts.slice(0, -1), { ...last, text: last.text + event.delta }];
    }
    default:
      return parts;
  }
}
