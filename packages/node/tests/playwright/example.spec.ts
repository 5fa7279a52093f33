/** A suite with a failure, which playwright.test.ts runs and reads. */

import { expect, test } from "dimedove-sandbox/playwright";

import { create } from "../client.js";

for (const title of ["One", "Two"]) {
  test(`has an app for ${title}`, async ({ dimedove, sandbox }) => {
    await create(dimedove, { title });
    expect(await dimedove.requests()).toHaveLength(1);
    console.log(`server: ${sandbox.url} app: ${dimedove.appId} seed: ${(await dimedove.snapshot()).origin.seed}`);
  });
}

test("a misspelt title is noticed", async ({ dimedove }) => {
  await create(dimedove, { titel: "Support" });
  expect("Support").toBe("Soutien");
});

test("a failure that is expected leaves nothing", async ({ dimedove }) => {
  test.fail();
  await create(dimedove);
  expect(1).toBe(2);
});
