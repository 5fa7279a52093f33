// A small client of the Dimedove Apps API, as the core of an SDK might look: it retries what may be retried, survives
// lost responses, waits as Retry-After says, and reads streams as the specification of server-sent events says.

const LAST = new Set(["response.completed", "response.failed"]);

export class ApiError extends Error {
  constructor(status, { message, type, code }) {
    super(message);
    Object.assign(this, { status, type, code });
  }
}

export class ConnectionLost extends Error {}

export class Client {
  #app;
  #headers;
  #retries;
  #sleep;

  constructor({ baseUrl, apiKey, appId, retries = 2, sleep = wait }) {
    this.#app = `${baseUrl}/apps/${appId}`;
    this.#headers = { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" };
    this.#retries = retries;
    this.#sleep = sleep;
  }

  // Creating twice would be a fault, and the answer may get lost on its way. So each attempt carries the same mark in
  // its metadata, and before another attempt the client looks whether the first one has worked after all.
  async createConversation({ user, title, metadata = {} } = {}) {
    const mark = crypto.randomUUID();
    const body = { external_user_id: user, title, metadata: { ...metadata, request: mark } };
    return this.#retrying(
      () => this.#json("POST", "/conversations", body),
      async () => (await this.listConversations()).find((found) => found.metadata?.request === mark),
    );
  }

  async listConversations({ limit = 20 } = {}) {
    return (await this.#retrying(() => this.#json("GET", `/conversations?limit=${limit}`))).data;
  }

  async getConversation(id) {
    return this.#retrying(() => this.#json("GET", `/conversations/${id}`));
  }

  // A message is sent once: whoever asks twice is answered twice. Only a 429 is safe, as nothing was done.
  async sendMessage(id, content) {
    const body = { message: { content }, stream: false };
    return this.#retrying(() => this.#json("POST", `/conversations/${id}`, body), null);
  }

  // Yields the events as they come. A stream without its last event was cut, and that is an error.
  async *streamMessage(id, content) {
    const body = { message: { content }, stream: true };
    const answer = await this.#retrying(() => this.#send("POST", `/conversations/${id}`, body), null);
    let last;
    try {
      for await (const { data } of readEvents(answer.body)) yield (last = JSON.parse(data));
    } catch (error) {
      throw new ConnectionLost(`the stream broke off: ${error.message}`);
    }
    if (!LAST.has(last?.type)) throw new ConnectionLost("the stream ended without its last event");
  }

  // `recover` looks for the outcome of an attempt whose answer was lost; null: there is no second attempt.
  async #retrying(attempt, recover = async () => undefined) {
    for (let left = this.#retries; ; left--) {
      try {
        return await attempt();
      } catch (error) {
        const limited = error.status === 429;
        const lost = error instanceof ConnectionLost || error.status >= 500;
        if (left === 0 || !(limited || (lost && recover))) throw error;
        if (limited) await this.#sleep(error.retryAfter * 1000);
        const found = lost && (await recover());
        if (found) return found;
      }
    }
  }

  async #json(method, path, body) {
    const answer = await this.#send(method, path, body);
    try {
      return await answer.json();
    } catch (error) {
      throw new ConnectionLost(`no readable answer: ${error.message}`);
    }
  }

  async #send(method, path, body) {
    let answer;
    try {
      answer = await fetch(this.#app + path, { method, headers: this.#headers, body: body && JSON.stringify(body) });
    } catch (error) {
      throw new ConnectionLost(`no answer: ${error.cause?.message ?? error.message}`);
    }
    if (answer.ok) return answer;
    // What a proxy in between answers is no envelope.
    const failure = await answer.json().catch(() => ({}));
    const error = new ApiError(answer.status, failure.error ?? { message: `status ${answer.status}` });
    error.retryAfter = Number(answer.headers.get("retry-after") ?? 1);
    throw error;
  }
}

// Reads server-sent events: any line ending, comments, several data lines, characters cut in two.
export async function* readEvents(body) {
  const decoder = new TextDecoder();
  let [rest, event, data] = ["", "message", []];
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A CR at the very end may be the first half of a CR LF.
    const lines = rest.split(/\r\n|\n|\r(?=[^])/);
    rest = lines.pop();
    for (const line of lines) {
      const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (line === "") {
        if (data.length) yield { event, data: data.join("\n") };
        [event, data] = ["message", []];
      } else if (name === "event") event = value;
      else if (name === "data") data.push(value);
    }
  }
}

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
