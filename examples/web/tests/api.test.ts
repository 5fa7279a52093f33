/** The reader of streams, without a browser: the same text in every framing. */

import { test } from "dimedove-sandbox/vitest";
import { expect } from "vitest";

import { readEvents, type StreamEvent } from "../src/api";

const TEXT = "Zoé 👩‍👩‍👧: “C’est fait.”";

for (const framing of [
  "plain",
  "split",
  "crlf",
  "cut_crlf",
  "mixed",
  "comments",
  "multiline",
  "bom",
  "fields",
] as const) {
  test(`a stream says the same in the framing ${framing}`, async ({ dimedove }) => {
    await dimedove.settings({ framing });
    await dimedove.reply(TEXT);
    const response = await fetch(`${dimedove.baseUrl}/apps/${dimedove.appId}/completions`, {
      method: "POST",
      headers: { Authorization: `Bearer ${dimedove.apiKey}`, "Content-Type": "application/json" },
      body: JSON.stringify({ prompt: "Bonjour", stream: true }),
    });
    let text = "";
    for await (const data of readEvents(response.body!)) {
      const event = JSON.parse(data) as StreamEvent;
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    expect(text).toBe(TEXT);
  });
}
