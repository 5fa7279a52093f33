/** What a test can do with its app. */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { test } from "dimedove-sandbox/vitest";
import { describe, expect, vi } from "vitest";

import { ask, call, create } from "./client.js";
import { folder } from "./folders.js";

const CREATE = "apps_api_create_conversation";
const SOON = { timeout: 20_000 };

describe("faults", () => {
  test("act once, on the operation that they name", async ({ dimedove }) => {
    await dimedove.fault("status", { status: 503, operation: CREATE });
    const statuses = [];
    for (const path of ["/config", "/conversations"]) statuses.push((await call(dimedove, "GET", path)).status);
    for (let n = 0; n < 2; n++) statuses.push((await call(dimedove, "POST", "/conversations", {})).status);
    expect(statuses).toEqual([200, 200, 503, 200]);
  });

  test("wait, are listed and removed", async ({ dimedove }) => {
    await dimedove.fault("reset");
    expect((await dimedove.faults()).map(({ kind }) => kind)).toEqual(["reset"]);
    await dimedove.clearFaults();
    expect(await dimedove.faults()).toEqual([]);
  });

  test("hold a request until it is released", async ({ dimedove }) => {
    const fault = await dimedove.fault("latency", { until: "released" });
    const held = create(dimedove);
    await vi.waitFor(async () => expect((await dimedove.requests()).at(-1)?.held_by).toBe(fault.id), SOON);
    await dimedove.release(fault);
    expect((await held).id).toBeTruthy();
  });

  test("that can't be are refused with the place", async ({ dimedove }) => {
    await expect(dimedove.fault("status", { status: 99 })).rejects.toThrow(/POST .*\/faults: .*status/);
  });
});

describe("replies", () => {
  test("are said as scripted", async ({ dimedove }) => {
    await dimedove.reply(["You are", { type: "message", text: " booked." }], { contains: "book" });
    const { id } = await create(dimedove);
    expect(await ask(dimedove, id, "Please book me in.")).toBe("You are booked.");
  });

  test("wait, are listed and removed", async ({ dimedove }) => {
    await dimedove.reply("Hello");
    expect(await dimedove.replies()).toHaveLength(1);
    await dimedove.clearReplies();
    expect(await dimedove.replies()).toEqual([]);
  });
});

describe("requests", () => {
  test("are all there, in their order, however many they are", async ({ dimedove }) => {
    for (let n = 0; n < 130; n++) await create(dimedove, { title: `${n}` });
    const bodies = (await dimedove.requests({ operation: CREATE })).map(
      ({ body }) => (body as { title: string }).title,
    );
    expect(bodies).toEqual(Array.from({ length: 130 }, (_, n) => `${n}`));
  });

  test("are chosen by status", async ({ dimedove }) => {
    await create(dimedove);
    await call(dimedove, "POST", "/conversations", { title: 5 });
    expect((await dimedove.requests({ status: 422 })).map(({ body }) => body)).toEqual([{ title: 5 }]);
  });

  test("are counted by verify", async ({ dimedove }) => {
    await create(dimedove, { title: "Once", metadata: { plan: "life" } });
    await create(dimedove, { title: "Twice" });
    expect(await dimedove.verify({ operation: CREATE })).toBe(2);
    expect(await dimedove.verify({ body: { metadata: { plan: "life" } }, times: 1 })).toBe(1);
    await dimedove.verify({ operation: "apps_api_send_message", times: 0 });
  });

  test("may have values of a pattern, and lists in any order", async ({ dimedove }) => {
    await create(dimedove, { external_user_id: "user_1", metadata: { tags: ["b", "a"] } });
    const metadata = { tags: ["a", { $match: "^b" }], plan: { $absent: true } };
    expect(await dimedove.verify({ body: { external_user_id: { $match: "^user_" }, metadata } })).toBe(1);
  });

  test("are waited for", async ({ dimedove }) => {
    const verified = dimedove.verify({ operation: CREATE, times: 2, within: 20_000 });
    for (let n = 0; n < 2; n++) await create(dimedove);
    expect(await verified).toBe(2);
    await expect(dimedove.verify({ operation: CREATE, times: 3, within: 1 })).rejects.toThrow(
      "expected exactly 3 matching requests within 1 ms, got 2",
    );
  });

  test("that verify misses are shown beside what was expected", async ({ dimedove }) => {
    await create(dimedove, { title: "Support" });
    await expect(dimedove.verify({ operation: CREATE, body: { title: "Soutien" } })).rejects.toThrow(
      [
        "expected at least 1 matching requests, got 0:",
        `    app_id: "${dimedove.appId}"`,
        '    operation: "apps_api_create_conversation"',
        '    body: {"title":"Soutien"}',
        "the closest request: POST   …/conversations  200",
        '    body.title: expected "Soutien", got "Support"',
      ].join("\n"),
    );
  });

  test("too many or too few are said as a range", async ({ dimedove }) => {
    await expect(dimedove.verify({ times: { min: 2, max: 3 } })).rejects.toThrow("expected from 2 to 3 matching");
    await expect(dimedove.verify({ times: 1 })).rejects.toThrow("expected exactly 1 matching");
  });

  test("are judged", async ({ dimedove }) => {
    await create(dimedove, { titel: "Support" });
    const { passed, findings } = await dimedove.verdict();
    expect([passed, ...findings.map(({ rule }) => rule)]).toEqual([false, "unknown_field"]);
  });

  test("are counted by what of the contract they met", async ({ dimedove }) => {
    await create(dimedove, { title: "Support" });
    await call(dimedove, "POST", "/conversations", { title: 5 });
    const { operations, error_types } = await dimedove.coverage();
    expect(operations[CREATE]?.statuses).toMatchObject({ 200: 1, 422: 1, 404: 0 });
    expect(error_types).toMatchObject({ invalid_request_error: 1, rate_limit_exceeded: 0 });
  });

  test("are exported as HAR", async ({ dimedove }) => {
    await create(dimedove, { title: "Support" });
    const { log } = JSON.parse((await dimedove.har()).toString()) as {
      log: { entries: { request: { url: string } }[] };
    };
    expect(log.entries.map(({ request }) => request.url)).toEqual([expect.stringContaining(dimedove.appId)]);
  });
});

describe("the app", () => {
  test("has settings, and null gives a default back", async ({ dimedove }) => {
    expect((await dimedove.settings({ framing: "crlf" })).framing).toBe("crlf");
    expect((await dimedove.settings()).framing).toBe("crlf");
    expect((await dimedove.settings({ framing: null })).framing).toBe("plain");
  });

  test("takes a scenario, until it is taken off", async ({ dimedove }) => {
    const statuses = [];
    for (const name of ["outage", null]) {
      await dimedove.scenario(name);
      statuses.push((await call(dimedove, "GET", "/config")).status);
    }
    expect(statuses).toEqual([503, 200]);
    await expect(dimedove.scenario("outag")).rejects.toThrow("outage");
  });

  test("has a clock", async ({ dimedove }) => {
    expect(await dimedove.clock.freeze(new Date("2030-01-01T00:00:00Z"))).toBe(1_893_456_000);
    expect(await dimedove.clock.advance(60)).toBe(1_893_456_060);
    expect((await create(dimedove)).created_at).toBe(1_893_456_060);
    await dimedove.clock.reset();
    expect(await dimedove.clock.now()).toBeLessThan(1_893_456_000);
  });

  test("is populated", async ({ dimedove }) => {
    const counts = await dimedove.populate({ conversations: 3, messages: 2, external_user_id: "user_1" });
    expect(counts).toMatchObject({ conversations: 3, users: 1 });
  });

  test("goes into a snapshot and comes out of it", async ({ dimedove }) => {
    const { id } = await create(dimedove);
    const snapshot = await dimedove.snapshot();
    await dimedove.delete();
    expect((await call(dimedove, "GET", `/conversations/${id}`)).status).toBe(404);
    await dimedove.restore(snapshot);
    expect((await call(dimedove, "GET", `/conversations/${id}`)).status).toBe(200);
  });

  test("goes into a bundle", async ({ dimedove }) => {
    await create(dimedove);
    const path = await dimedove.bundle(join(folder(), "deep", "app.zip"));
    expect((await readFile(path)).subarray(0, 2).toString()).toBe("PK");
  });

  test("sends webhooks by hand", async ({ dimedove }) => {
    const received: string[] = [];
    const server = createServer((request, response) => {
      request.on("data", (chunk: Buffer) => received.push((JSON.parse(chunk.toString()) as { type: string }).type));
      request.on("end", () => response.end());
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await dimedove.settings({
      webhooks: [{ url: `http://127.0.0.1:${port}`, secret: null, events: ["task.completed"] }],
    });
    await dimedove.sendWebhook("task.completed");
    await vi.waitFor(() => expect(received).toEqual(["task.completed"]), SOON);
    server.close();
  });

  test("is driven past whatever stands in for fetch", async ({ dimedove }) => {
    vi.stubGlobal("fetch", () => Promise.reject(new Error("no network in unit tests")));
    expect((await dimedove.settings()).status).toBe("live");
    vi.unstubAllGlobals();
  });

  test("has a page in the inspector", async ({ dimedove }) => {
    const page = await fetch(dimedove.inspectorUrl, { headers: { Accept: "text/html" } });
    expect(await page.text()).toContain("<html");
    expect(dimedove.inspectorUrl).toContain(`#/requests?app=${dimedove.appId}`);
  });
});
