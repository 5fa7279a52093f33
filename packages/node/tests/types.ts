/** What the compiler refuses: `tsc` fails where one of these passes. */

import type { App } from "dimedove-sandbox";

export async function refused(app: App): Promise<void> {
  // @ts-expect-error - no such kind
  await app.fault("explode");
  // @ts-expect-error - `status` wants a status
  await app.fault("status");
  // @ts-expect-error - `reset` has no status
  await app.fault("reset", { status: 503 });
  // @ts-expect-error - no such setting
  await app.settings({ framming: "crlf" });
  // @ts-expect-error - no such operation
  await app.requests({ operation: "apps_api_create" });
  // @ts-expect-error - no such item
  await app.reply({ type: "massage", text: "Hello" });
}
