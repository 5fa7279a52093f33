/** The page in a browser. Requests below `/api/dimedove` go to the test's own app (playwright.config.ts). */

import type { Page } from "@playwright/test";
import { expect, test } from "dimedove-sandbox/playwright";

const SEND = "apps_api_send_message";

async function send(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
}

test.beforeEach(({ page }) => page.goto("/"));

test("a reply appears while it streams", async ({ page, dimedove }) => {
  await dimedove.reply("You are booked for Tuesday.", { contains: "book" });
  const hold = await dimedove.fault("stream_stall", { events: 3, until: "released" });
  await send(page, "Please book me in.");
  await expect(page.getByText("You are", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible();
  await dimedove.release(hold);
  await expect(page.getByText("You are booked for Tuesday.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Send" })).toBeVisible();
});

test("before the first word, dots say that one is on its way", async ({ page, dimedove }) => {
  const hold = await dimedove.fault("latency", { operation: SEND, until: "released" });
  await send(page, "Hello");
  await expect(page.getByRole("img", { name: "The reply is on its way" })).toBeVisible();
  await expect.poll(async () => (await dimedove.requests({ operation: SEND }))[0]?.held_by).toBe(hold.id);
  await dimedove.release(hold);
  await expect(page.getByRole("img", { name: "The reply is on its way" })).toBeHidden();
});

test("what the page sends is what a good client sends", async ({ page, dimedove }) => {
  await send(page, "[[tool]] What are your opening hours?");
  await dimedove.verify({
    operation: "apps_api_create_conversation",
    body: { external_user_id: "user_web" },
    within: 5_000,
  });
  await dimedove.verify({ operation: SEND, body: { stream: true }, within: 5_000 });
  await expect(page.getByText("show_map")).toBeVisible();
  await expect(page.getByRole("button", { name: "Send" })).toBeVisible();
  expect((await dimedove.verdict()).findings).toEqual([]);
});

test("the title is that of the conversation, in the page's language, as soon as there is one", async ({
  page,
  dimedove,
}) => {
  await dimedove.settings({ titles: "after_first_exchange" });
  await expect(page.getByRole("heading")).toHaveText("New conversation");
  await send(page, "I would like to book an appointment.");
  await expect(page.getByRole("heading")).not.toHaveText("New conversation");
  const english = await page.getByRole("heading").textContent();
  await page.getByRole("button", { name: "Français" }).click();
  await expect(page.getByRole("heading")).not.toHaveText(english!);
  await expect(page.getByLabel("Message")).toHaveAttribute("placeholder", "Écrivez un message…");
});

test("text, tools and a form stand in their order", async ({ page, dimedove }) => {
  await dimedove.settings({ generative_ui: true });
  await dimedove.reply([
    "Let me see.",
    { type: "function_call", name: "check_availability", arguments: { date: "2026-12-02" } },
    "One moment.",
    {
      type: "form",
      title: "Your details",
      fields: [
        { type: "Input", label: "Name" },
        { type: "Input", label: "Phone" },
      ],
    },
  ]);
  await send(page, "Hello");
  await expect(page.getByRole("article").last()).toHaveText("Let me see.check_availabilityOne moment.form");
});

for (const kind of ["stream_cut", "stream_garble", "stream_fail"] as const) {
  test(`a reply that ends by ${kind} can be asked for again`, async ({ page, dimedove }) => {
    await dimedove.fault(kind, { events: 2 });
    await dimedove.reply("All is well.", { skip: 1 });
    await send(page, "Is all well?");
    await expect(page.getByRole("alert")).toContainText("That didn’t work.");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByText("All is well.")).toBeVisible();
    await expect(page.getByRole("alert")).toBeHidden();
    await dimedove.verify({ operation: SEND, body: { message: { content: "Is all well?" } }, times: 2 });
  });
}

test("a refusal is shown in its own words", async ({ page, dimedove }) => {
  await dimedove.fault("status", { operation: SEND, status: 429 });
  await send(page, "Hello");
  await expect(page.getByRole("alert")).toContainText("429");
});

test("Stop ends the reply, for the server too", async ({ page, dimedove }) => {
  await dimedove.fault("stream_stall", { events: 2, until: "released" });
  await send(page, "[[long]]");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("button", { name: "Send" })).toBeVisible();
  await expect.poll(async () => (await dimedove.requests({ operation: SEND }))[0]?.ended).toBe("client_gone");
});
