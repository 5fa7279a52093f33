/** What a test uses: one app of the sandbox, and that app's clock. */

import { AssertionError } from "node:assert";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { describeVerify } from "./report.js";
import type { Sandbox } from "./sandbox.js";
import type {
  Counts,
  Coverage,
  Entry,
  FaultFields,
  FaultKind,
  Population,
  QueuedFault,
  QueuedReply,
  ReplyItem,
  ReplyRules,
  Selection,
  SentWebhooks,
  SettingChanges,
  Settings,
  Snapshot,
  Verdict,
  VerifyResult,
  Wanted,
  WebhookType,
} from "./types.js";

/** The fields of a fault: to be left out where none is required. */
type Fields<K extends FaultKind> = object extends FaultFields<K> ? [fields?: FaultFields<K>] : [fields: FaultFields<K>];

/** One app, separate from all others: no other test sees what a test does here. */
export class App {
  /** What a client needs. */
  readonly baseUrl: string;
  readonly apiKey = "sk_test_node";
  readonly appId: string;
  readonly clock = new Clock(this);
  /** The server that it is on. */
  readonly sandbox: Sandbox;

  constructor(sandbox: Sandbox, appId: string) {
    this.baseUrl = sandbox.baseUrl;
    this.appId = appId;
    this.sandbox = sandbox;
  }

  /** The page of the inspector with the app's requests. */
  get inspectorUrl(): string {
    return `${this.sandbox.url}/_sandbox/#/requests?${new URLSearchParams({ app: this.appId })}`;
  }

  /** Queue a fault for the next request (or see `operation`, `skip`, `times`). */
  async fault<K extends FaultKind>(kind: K, ...[fields]: Fields<K>): Promise<QueuedFault> {
    return this.control("POST", "/faults", { kind, ...fields });
  }

  /** Return the faults that still wait, oldest first. */
  async faults(): Promise<QueuedFault[]> {
    return (await this.control<{ data: QueuedFault[] }>("GET", "/faults")).data;
  }

  /** Let the requests go on that a fault with `until: "released"` holds now. */
  async release(fault: Pick<QueuedFault, "id">): Promise<void> {
    await this.control("POST", `/faults/${fault.id}/release`);
  }

  /** Remove the faults that still wait. */
  async clearFaults(): Promise<void> {
    await this.control("DELETE", "/faults");
  }

  /** Script the agent's reply to the next message; a text is a `message` item. */
  async reply(output: string | ReplyItem | (string | ReplyItem)[], rules: ReplyRules = {}): Promise<QueuedReply> {
    const items = [output].flat().map((item) => (typeof item === "string" ? { type: "message", text: item } : item));
    return this.control("POST", "/replies", { output: items, ...rules });
  }

  /** Return the scripted replies that still wait, oldest first. */
  async replies(): Promise<QueuedReply[]> {
    return (await this.control<{ data: QueuedReply[] }>("GET", "/replies")).data;
  }

  /** Remove the scripted replies that still wait. */
  async clearReplies(): Promise<void> {
    await this.control("DELETE", "/replies");
  }

  /** Change settings of the app, if any are given, and return all settings; null gives a default back. */
  async settings(changes?: SettingChanges): Promise<Settings> {
    const app = await this.control<{ settings: Settings }>(changes ? "PATCH" : "GET", "", changes);
    return app.settings;
  }

  /** Put a scenario of the config, or a ready-made one, on the app, and return its settings; null takes it off. */
  async scenario(name: string | null): Promise<Settings> {
    return (await this.control<{ settings: Settings }>("PUT", "/scenario", { name })).settings;
  }

  /** Add realistic conversations of the past 30 days; return the app's counts. */
  async populate(population: Population): Promise<Counts> {
    return this.control("POST", "/populate", population);
  }

  /** Return the client's requests and their responses, all of them, oldest first. */
  async requests(selection: Selection = {}): Promise<Entry[]> {
    return this.sandbox.requests({ app_id: this.appId, ...selection });
  }

  /** Assert that matching requests were sent, at least one unless `times` says otherwise; return their number. */
  async verify({ within, ...wanted }: Wanted = {}): Promise<number> {
    const question = { app_id: this.appId, ...wanted, ...(within !== undefined && { within_ms: within }) };
    const result = await this.sandbox.control<VerifyResult>("POST", "/requests/verify", question);
    if (result.verified) return result.count;
    const closest = result.closest && (await this.sandbox.control<Entry>("GET", `/requests/${result.closest.id}`));
    throw new AssertionError({ message: describeVerify(question, result, closest), stackStartFn: this.verify });
  }

  /** Return what of the contract the client has met so far. */
  async coverage(): Promise<Coverage> {
    return this.control("GET", "/coverage");
  }

  /** Return the verdict on the client so far. */
  async verdict(): Promise<Verdict> {
    return this.control("GET", "/verdict");
  }

  /** Return the app's whole state as one document; secrets are redacted unless asked for. */
  async snapshot({ secrets = false } = {}): Promise<Snapshot> {
    return this.control("GET", `/snapshot${secrets ? "?secrets=true" : ""}`);
  }

  /** Replace the app by a snapshot: of this app or another, from this server or another. */
  async restore(snapshot: Snapshot): Promise<void> {
    await this.control("PUT", "/snapshot", snapshot);
  }

  /** Write the app's bundle into a file, for `dimedove-sandbox replay`; return its path. */
  async bundle(path: string): Promise<string> {
    const content = await this.sandbox.fetch(`/apps/${encodeURIComponent(this.appId)}/bundle`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  /** Return the app's requests as HAR 1.2, which browsers and proxies read. */
  async har(): Promise<Buffer> {
    return this.sandbox.fetch(`/requests.har?${new URLSearchParams({ app_id: this.appId })}`);
  }

  /** Send a webhook by hand, with realistic data where none is given. */
  async sendWebhook(type: WebhookType, data?: Record<string, unknown>): Promise<SentWebhooks> {
    return this.control("POST", "/webhooks/send", { type, ...(data && { data }) });
  }

  /** Delete everything of the app; its next use starts afresh. */
  async delete(): Promise<void> {
    await this.control("DELETE", "");
  }

  /** Make a call of the control API below `/_sandbox/apps/{app_id}` and return its response. */
  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.sandbox.control<T>(method, `/apps/${encodeURIComponent(this.appId)}${path}`, body);
  }
}

/** The time of one app: `created_at` and rate limits follow it. */
export class Clock {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  /** Return the app's time in whole Unix seconds. */
  async now(): Promise<number> {
    return this.#time("GET", "");
  }

  /** Freeze the app's time, at `now` or where it is, and return it. */
  async freeze(now?: number | Date): Promise<number> {
    const moment = now instanceof Date ? Math.floor(now.getTime() / 1000) : (now ?? (await this.now()));
    return this.#time("PUT", "", { now: moment });
  }

  /** Move the app's time forward, freeze it there, and return it. */
  async advance(seconds: number): Promise<number> {
    return this.#time("POST", "/advance", { seconds });
  }

  /** Return the app to real time. */
  async reset(): Promise<void> {
    await this.#app.control("DELETE", "/clock");
  }

  async #time(method: string, path: string, body?: unknown): Promise<number> {
    return (await this.#app.control<{ now: number }>(method, `/clock${path}`, body)).now;
  }
}
