/** A running sandbox: one that is there already, or a process of our own. */

import { randomUUID } from "node:crypto";

import { App } from "./app.js";
import { TOKEN_VARIABLE, URL_VARIABLE } from "./command.js";
import { SandboxError, send } from "./http.js";
import { appId } from "./names.js";
import { ServerProcess, type StartOptions } from "./process.js";
import type { Entry } from "./types.js";

const PAGE = 100;

/** Which server, and how it came to be. */
interface Origin {
  url: string;
  source: string;
  token?: string | undefined;
  process?: ServerProcess;
}

/** A running sandbox: `url` is its address, `baseUrl` that of the Apps API. */
export class Sandbox {
  readonly url: string;
  readonly baseUrl: string;
  /** How it was found: the variable with its URL, or the command that started it. */
  readonly source: string;
  readonly #token: string | undefined;
  readonly #process: ServerProcess | undefined;

  constructor({ url, source, token, process }: Origin) {
    this.url = url.replace(/\/(v1\/?)?$/, "");
    this.baseUrl = `${this.url}/v1`;
    this.source = source;
    this.#token = token;
    this.#process = process;
  }

  /** Return an app, by an id of your choice or a new one. */
  app(id = appId("node", randomUUID())): App {
    return new App(this, id);
  }

  /** Whether this is a server of our own, which nobody else uses. */
  get isOwn(): boolean {
    return this.#process !== undefined;
  }

  /** How a server of our own ended by itself; nothing while it runs. */
  get death(): string | undefined {
    return this.#process?.death;
  }

  /** End the server, if this package started it. */
  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** Return the requests of a selection, all of them, oldest first. */
  async requests(selection: Record<string, string | number> = {}): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let after: string | null = null; ; ) {
      const query: Record<string, string> = { limit: String(PAGE), ...(after && { after }) };
      for (const [name, value] of Object.entries(selection)) query[name] = String(value);
      const page: { data: Entry[]; has_more: boolean; last_id: string | null } = await this.control(
        "GET",
        `/requests?${new URLSearchParams(query)}`,
      );
      entries.push(...page.data);
      if (!page.has_more) return entries.reverse();
      after = page.last_id;
    }
  }

  /** Make a call of the control API below `/_sandbox` and return its response. */
  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const url = `${this.url}/_sandbox${path}`;
    const content = await this.#send(method, url, body);
    if (!content.length) return undefined as T;
    try {
      return JSON.parse(content.toString()) as T;
    } catch {
      throw new SandboxError(`${method} ${url}: no response of a sandbox`);
    }
  }

  /** Return a file of the control API. */
  async fetch(path: string): Promise<Buffer> {
    return this.#send("GET", `${this.url}/_sandbox${path}`);
  }

  async #send(method: string, url: string, body?: unknown): Promise<Buffer> {
    try {
      return await send({ method, url, body, token: this.#token });
    } catch (error) {
      throw this.death ? new SandboxError(this.death) : error;
    }
  }
}

/**
 * Return a running sandbox.
 *
 * The server of `DIMEDOVE_SANDBOX_URL`, if it is set; the options, which are about a new one, then have no effect. Else
 * a server of our own, started by `DIMEDOVE_SANDBOX_COMMAND`, or by `dimedove-sandbox` of the PATH or of a `.venv` here
 * or above. It ends with `stop()`, and with this process, however that ends.
 */
export async function startSandbox(options: StartOptions = {}): Promise<Sandbox> {
  const token = process.env[TOKEN_VARIABLE];
  const url = process.env[URL_VARIABLE];
  if (url) return connect({ url, source: `${URL_VARIABLE}=${url}`, token });
  const started = await ServerProcess.start(options, process.env);
  return new Sandbox({ url: started.url, source: started.source, token, process: started });
}

/** Return a server that is running already. */
async function connect(origin: Origin): Promise<Sandbox> {
  const sandbox = new Sandbox(origin);
  try {
    const health = await sandbox.control<{ sandbox?: boolean } | undefined>("GET", "/health");
    if (health?.sandbox) return sandbox;
  } catch (error) {
    throw new SandboxError(`${origin.source}: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new SandboxError(`${origin.source}: this is not a Dimedove Sandbox`);
}
