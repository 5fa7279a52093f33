/** Finds the command that starts a sandbox. */

import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";

import { SandboxError } from "./http.js";

export const URL_VARIABLE = "DIMEDOVE_SANDBOX_URL";
export const COMMAND_VARIABLE = "DIMEDOVE_SANDBOX_COMMAND";
export const TOKEN_VARIABLE = "DIMEDOVE_SANDBOX_CONTROL_TOKEN";

const isWindows = process.platform === "win32";
const NAME = isWindows ? "dimedove-sandbox.exe" : "dimedove-sandbox";
const VENV = isWindows ? join(".venv", "Scripts", NAME) : join(".venv", "bin", NAME);

/** A command with its arguments, and where it was found. */
export interface Command {
  words: string[];
  source: string;
}

/** Return the command: of the variable, of the PATH, or of a `.venv` here or in a folder above. */
export function findCommand(environ: NodeJS.ProcessEnv, folder: string): Command {
  const given = environ[COMMAND_VARIABLE];
  if (given) return { words: split(given), source: `${COMMAND_VARIABLE}=${given}` };
  const onPath = (environ["PATH"] ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((each) => join(each, NAME));
  const found = [...onPath, ...above(folder).map((each) => join(each, VENV))].find(isExecutable);
  if (found) return { words: [found], source: found };
  throw new SandboxError(
    [
      "No Dimedove Sandbox was found. Tried, in this order:",
      `  ${URL_VARIABLE}, the URL of a running server: not set`,
      `  ${COMMAND_VARIABLE}, the command that starts one: not set`,
      `  ${NAME} on the PATH: not there`,
      `  ${VENV} in ${folder} and the folders above: not there`,
      "Install it with pip into a .venv of your project, or set one of the two variables.",
    ].join("\n"),
  );
}

/** Split a command into words, as a shell does: quotes hold words together. */
function split(text: string): string[] {
  return (text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );
}

function above(folder: string): string[] {
  const parent = dirname(resolve(folder));
  return parent === resolve(folder) ? [parent] : [resolve(folder), ...above(parent)];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
