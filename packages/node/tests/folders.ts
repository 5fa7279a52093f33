/** A new folder for a test, gone after it. */

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

export function folder(): string {
  const made = mkdtempSync(join(realpathSync(tmpdir()), "dimedove-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}
