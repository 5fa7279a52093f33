/** A server process of our own. It ends with the pipe that we hold, and the pipe with us, however we end. */

import { spawn, type ChildProcess } from "node:child_process";

import { findCommand, TOKEN_VARIABLE } from "./command.js";
import { SandboxError } from "./http.js";

const PREFIX = "DIMEDOVE_SANDBOX_";
const CONFIG_VARIABLE = `${PREFIX}CONFIG`;
const BANNER = /Dimedove Sandbox on (https?:\/\/\S+)\/v1\b/;
const START_MS = 60_000;
const END_MS = 10_000;
const MAX_LOG = 4_000;

/** What a server of our own is started with. */
export interface StartOptions {
  /** The port to listen on; left out: a free one. */
  port?: number;
  /** The source of all texts and ids: same seed, same requests, same bytes. */
  seed?: number;
  /** A file with settings, as for `dimedove-sandbox serve --config`. */
  config?: string;
}

/** A started server: `url` is its address, `source` says which command it is. */
export class ServerProcess {
  readonly source: string;
  url = "";
  readonly #child: ChildProcess;
  #log = "";
  readonly #ended: Promise<void>;
  #failure: string | undefined;

  private constructor(options: StartOptions, environ: NodeJS.ProcessEnv) {
    const { words, source } = findCommand(environ, process.cwd());
    const [program = "", ...first] = words;
    this.source = source;
    this.#child = spawn(program, [...first, ...serve(options)], { env: ownEnvironment(environ), stdio: "pipe" });
    this.#ended = new Promise((resolve) => this.#child.once("close", () => resolve()));
    this.#child.once("error", (error) => (this.#failure = error.message));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.#log = (this.#log + chunk.toString()).slice(-MAX_LOG)));
    }
  }

  /** Start a server, and return it once it listens. */
  static async start(options: StartOptions, environ: NodeJS.ProcessEnv): Promise<ServerProcess> {
    const server = new ServerProcess(options, environ);
    server.url = await server.#address();
    server.#release();
    return server;
  }

  /** How the server ended by itself, with the end of its log; nothing while it runs, or if it was stopped. */
  get death(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    if (!exitCode && !signalCode) return undefined;
    const how = signalCode ? `signal ${signalCode}` : `exit code ${exitCode}`;
    return `The sandbox ended by itself: ${how}. The end of its log:\n${this.#log.trim()}`;
  }

  /** End the server by its pipe, or else by force. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const late = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await this.#ended;
    clearTimeout(late);
  }

  async #address(): Promise<string> {
    const late = setTimeout(() => this.#child.kill("SIGKILL"), START_MS);
    try {
      return await new Promise((resolve, reject) => {
        this.#child.stdout?.on("data", () => {
          const found = BANNER.exec(this.#log);
          if (found?.[1]) resolve(found[1]);
        });
        this.#child.once("close", (code, signal) => {
          const how = this.#failure ?? (signal ? `no address in ${START_MS / 1000} s` : `exit code ${code}`);
          reject(new SandboxError([`The sandbox did not start: ${this.source}: ${how}`, this.#log].join("\n").trim()));
        });
      });
    } finally {
      clearTimeout(late);
    }
  }

  /** Let Node end although the server runs: it ends with Node. */
  #release(): void {
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) {
      if (stream && "unref" in stream && typeof stream.unref === "function") stream.unref();
    }
  }
}

function serve({ port = 0, seed, config }: StartOptions): string[] {
  // On loopback and with the control API, whatever a config file says.
  const fixed = ["serve", "--host", "127.0.0.1", "--control", "auto", "--quiet", "--exit-on-stdin-close"];
  const chosen = Object.entries({ port, seed, config }).filter(([, value]) => value !== undefined);
  return [...fixed, ...chosen.flatMap(([name, value]) => [`--${name}`, String(value)])];
}

/** Return the environment without the settings of another server, the developer's own. */
function ownEnvironment(environ: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = [CONFIG_VARIABLE, TOKEN_VARIABLE];
  return Object.fromEntries(
    Object.entries(environ).filter(([name]) => kept.includes(name) || !name.toUpperCase().startsWith(PREFIX)),
  );
}
