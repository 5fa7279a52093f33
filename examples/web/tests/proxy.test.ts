/** Vite's proxy, as vite.config.ts sets it: it takes the place of a backend. */

import { test } from "dimedove-sandbox/vitest";
import { createServer } from "vite";
import { expect, onTestFinished, vi } from "vitest";

import { readEvents } from "../src/api";

test("the proxy sends what a page asks with the key, and the stream back as it comes", async ({ dimedove }) => {
  vi.stubEnv("DIMEDOVE_BASE_URL", dimedove.baseUrl);
  vi.stubEnv("DIMEDOVE_APP_ID", dimedove.appId);
  vi.stubEnv("DIMEDOVE_API_KEY", dimedove.apiKey);
  const vite = await createServer({ server: { host: "127.0.0.1", port: 0 }, logLevel: "error" });
  onTestFinished(() => vite.close());
  await vite.listen();
  const page = vite.resolvedUrls!.local[0]!;

  await dimedove.reply("You are booked.");
  const hold = await dimedove.fault("stream_stall", { events: 2, until: "released" });
  const response = await fetch(`${page}api/dimedove/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: page, "Sec-Fetch-Site": "same-origin" },
    body: JSON.stringify({ prompt: "Book me in.", stream: true }),
  });
  const types: string[] = [];
  for await (const data of readEvents(response.body!)) {
    types.push((JSON.parse(data) as { type: string }).type);
    if (types.length === 2) await dimedove.release(hold);
  }
  expect(types.at(-1)).toBe("response.completed");
  expect((await dimedove.verdict()).findings).toEqual([]);
});
