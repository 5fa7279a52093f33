/** A suite with failures, which vitest.test.ts runs and reads. */

import { test } from "dimedove-sandbox/vitest";
import { describe, expect } from "vitest";

import { create } from "../client.js";

describe.concurrent("conversations", () => {
  for (const title of ["One", "Two"]) {
    test("have an app for each test", async ({ dimedove }) => {
      await create(dimedove, { title });
      const { body } = (await dimedove.requests())[0]!;
      console.log(`id: ${dimedove.appId}`);
      expect(body).toEqual({ title });
    });
  }
});

test("a misspelt title is noticed", async ({ dimedove }) => {
  await create(dimedove, { titel: "Support" });
  await dimedove.fault("reset");
  await fetch(`${dimedove.baseUrl}/${dimedove.appId}/config`);
  expect("Support").toBe("Soutien");
});
