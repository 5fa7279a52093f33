import { useEffect, useRef, useState, type CSSProperties, type FormEvent } from "react";
import Markdown from "react-markdown";

import { getAgent, type Agent } from "./api";
import { TEXTS, type Language } from "./texts";
import { useChat, type Message } from "./useChat";

/** Whose conversation it is: your own user's id, from your login. */
const USER = "user_web";
const NAMELESS: Agent = { name: null, config: { primary_color: null } };

export function Chat() {
  const [language, setLanguage] = useState<Language>(navigator.language.startsWith("fr") ? "fr" : "en");
  const [agent, setAgent] = useState(NAMELESS);
  const { messages, status, error, conversation, send, retry, stop } = useChat(USER);
  const end = useRef<HTMLDivElement>(null);
  const texts = TEXTS[language];
  const name = agent.name ?? "Dimedove";
  const isBusy = status === "submitted" || status === "streaming";

  useEffect(() => void getAgent().then(setAgent, () => undefined), []);
  useEffect(() => {
    void end.current?.scrollIntoView({ block: "end" });
  }, [messages]);
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = texts.title;
  }, [language, texts]);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get("message")).trim();
    if (!text || isBusy) return;
    event.currentTarget.reset();
    send(text);
  }

  const brand = agent.config.primary_color;
  return (
    <main className="chat" style={brand ? ({ "--brand": brand } as CSSProperties) : undefined}>
      <header>
        <span className="avatar" aria-hidden="true">
          {name[0]}
        </span>
        <div>
          <h1>{conversation?.generated_title?.[`${language}-ca`] ?? texts.newConversation}</h1>
          <p>
            {name} · {texts.online}
          </p>
        </div>
        <button type="button" className="quiet" onClick={() => setLanguage(language === "en" ? "fr" : "en")}>
          {texts.other}
        </button>
      </header>
      <div className="messages" role="log" aria-live="polite" aria-busy={isBusy}>
        <Bubble message={{ role: "assistant", parts: [{ index: 0, type: "text", text: texts.greeting(name) }] }} />
        {messages.map((message, n) => (
          <Bubble key={n} message={message} waiting={isBusy && n === messages.length - 1 ? texts.waiting : ""} />
        ))}
        {messages.length === 0 && (
          <div className="suggestions">
            {texts.suggestions.map((text) => (
              <button type="button" key={text} onClick={() => send(text)}>
                {text}
              </button>
            ))}
          </div>
        )}
        {status === "error" && (
          <div className="failure" role="alert">
            <p>
              <strong>{texts.failed}</strong> {error}
            </p>
            <button type="button" onClick={retry}>
              {texts.retry}
            </button>
          </div>
        )}
        <div ref={end} />
      </div>
      <form onSubmit={submit}>
        <input name="message" aria-label={texts.message} placeholder={texts.placeholder} autoComplete="off" autoFocus />
        {isBusy ? (
          <button type="button" onClick={stop}>
            {texts.stop}
          </button>
        ) : (
          <button type="submit">{texts.send}</button>
        )}
      </form>
    </main>
  );
}

function Bubble({ message, waiting = "" }: { message: Message; waiting?: string }) {
  const isEmpty = message.parts.length === 0;
  if (isEmpty && !waiting) return null;
  return (
    <article className={`bubble ${message.role}${waiting ? " streaming" : ""}`}>
      {isEmpty && (
        <span className="dots" role="img" aria-label={waiting}>
          <i />
          <i />
          <i />
        </span>
      )}
      {message.parts.map((part) => {
        if (part.type === "tool")
          return (
            <code key={part.index} className="tool">
              {part.name}
            </code>
          );
        if (part.type === "form")
          return (
            <code key={part.index} className="tool">
              form
            </code>
          );
        return message.role === "user" ? (
          <p key={part.index}>{part.text}</p>
        ) : (
          <Markdown key={part.index}>{part.text}</Markdown>
        );
      })}
    </article>
  );
}
