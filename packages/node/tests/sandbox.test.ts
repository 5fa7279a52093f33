/** Finding a server, starting one, and ending it, whatever ends its starter. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { startSandbox } from "dimedove-sandbox";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { create } from "./client.js";
import { folder } from "./folders.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const SOON = { timeout: 20_000 };

beforeEach(() => vi.stubEnv("DIMEDOVE_SANDBOX_URL", undefined));
afterEach(() => {
  vi.unstubAllEnvs();
  process.chdir(dirname(HERE));
});

/** Whether something answers there. */
async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/_sandbox/health`).then(
    () => true,
    () => false,
  );
}

/** Run a program with the package in another Node, to its first line. */
async function running(code: string) {
  const node = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: HERE,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(node.stdout, "data")) as [Buffer];
  return { node, url: line.toString().trim() };
}

/** Put a command into a file, and return it. */
function command(path: string, code: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!${process.execPath}\n${code}`);
  chmodSync(path, 0o755);
  return path;
}

test("a server starts on a free port, and ends", async () => {
  const sandbox = await startSandbox();
  expect(sandbox.baseUrl).toBe(`${sandbox.url}/v1`);
  expect(await answers(sandbox.url)).toBe(true);
  await sandbox.stop();
  expect(await answers(sandbox.url)).toBe(false);
});

test("the same seed and app give the same ids, another seed others", async () => {
  const ids = [];
  for (const seed of [7, 7, 8]) {
    const sandbox = await startSandbox({ seed });
    ids.push((await create(sandbox.app("app_same"))).id);
    await sandbox.stop();
  }
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
});

test("a config file sets the apps", async () => {
  const config = join(folder(), "sandbox.toml");
  writeFileSync(config, '[apps.app_mine]\nframing = "crlf"\n');
  const sandbox = await startSandbox({ config });
  expect((await sandbox.app("app_mine").settings()).framing).toBe("crlf");
  await sandbox.stop();
});

test("a running server is used, and left running", async () => {
  const own = await startSandbox();
  vi.stubEnv("DIMEDOVE_SANDBOX_URL", `${own.baseUrl}/`);
  const found = await startSandbox();
  expect([found.url, found.isOwn, found.source]).toEqual([own.url, false, `DIMEDOVE_SANDBOX_URL=${own.baseUrl}/`]);
  await found.stop();
  expect(await answers(own.url)).toBe(true);
  await own.stop();
});

test("a running server that is none of ours is named", async () => {
  const other = createServer((_, response) => response.end("{}")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  vi.stubEnv("DIMEDOVE_SANDBOX_URL", url);
  await expect(startSandbox()).rejects.toThrow(`DIMEDOVE_SANDBOX_URL=${url}: this is not a Dimedove Sandbox`);
  other.close();
  await once(other, "close");
  await expect(startSandbox()).rejects.toThrow(/no response: .*ECONNREFUSED/);
});

test("the variable's command goes before the others", async () => {
  const place = join(folder(), "with a space", "sandbox");
  const path = command(place, `console.log("no sandbox, but " + process.argv[2]); process.exit(9)`);
  vi.stubEnv("DIMEDOVE_SANDBOX_COMMAND", `"${path}" --mine`);
  await expect(startSandbox()).rejects.toThrow(
    /did not start: DIMEDOVE_SANDBOX_COMMAND=".*--mine: exit code 9\nno sandbox, but --mine/,
  );
});

test("the command is found on the PATH, and in a .venv of this folder or one above", async () => {
  const [path, project] = [folder(), folder()];
  const code = "process.exit(9)";
  const [onPath, inVenv] = [
    command(join(path, "dimedove-sandbox"), code),
    command(join(project, ".venv/bin/dimedove-sandbox"), code),
  ];
  mkdirSync(join(project, "packages", "web"), { recursive: true });
  process.chdir(join(project, "packages", "web"));
  vi.stubEnv("PATH", path);
  await expect(startSandbox()).rejects.toThrow(onPath);
  vi.stubEnv("PATH", "");
  await expect(startSandbox()).rejects.toThrow(inVenv);
});

test("where there is none, the error says what was tried", async () => {
  process.chdir(folder());
  vi.stubEnv("PATH", "");
  await expect(startSandbox()).rejects.toThrow(
    /No Dimedove Sandbox was found.*\n.*DIMEDOVE_SANDBOX_URL.*\n.*DIMEDOVE_SANDBOX_COMMAND.*\n.*PATH.*\n.*\.venv\/bin\/dimedove-sandbox in \/.*\n.*pip/,
  );
});

test("a wrong option is an error with the server's reason", async () => {
  await expect(startSandbox({ config: "no-such.toml" })).rejects.toThrow(/exit code 2\n.*no-such\.toml: can't be read/);
});

test("settings of another server don't reach ours", async () => {
  vi.stubEnv("DIMEDOVE_SANDBOX_PORT", "a lot");
  await (await startSandbox()).stop();
});

test("a server that ends by itself is reported with its log", async () => {
  const path = command(
    join(folder(), "sandbox"),
    `console.log("Dimedove Sandbox on http://127.0.0.1:1/v1"); setTimeout(() => { console.log("out of luck"); process.exit(7); }, 10)`,
  );
  vi.stubEnv("DIMEDOVE_SANDBOX_COMMAND", path);
  const sandbox = await startSandbox();
  await vi.waitUntil(() => sandbox.death, SOON);
  await expect(sandbox.app().settings()).rejects.toThrow(/ended by itself: exit code 7\..*\n.*\nout of luck/);
  await sandbox.stop();
});

test("no server outlives a killed Node", async () => {
  const { node, url } = await running(
    `import { startSandbox } from "dimedove-sandbox"; console.log((await startSandbox()).url); setInterval(() => {}, 1000);`,
  );
  expect(await answers(url)).toBe(true);
  node.kill("SIGKILL");
  await vi.waitUntil(async () => !(await answers(url)), SOON);
});

test("a server that nobody stops doesn't keep Node running", async () => {
  const { node, url } = await running(
    `import { startSandbox } from "dimedove-sandbox"; console.log((await startSandbox()).url);`,
  );
  const [code] = await once(node, "exit");
  expect(code).toBe(0);
  await vi.waitUntil(async () => !(await answers(url)), SOON);
});
