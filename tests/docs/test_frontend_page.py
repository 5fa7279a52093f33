"""The page for frontend teams: its recipes stand in the example that CI runs, or are run here in a project.

Next and Cypress are not: the one is large, the other downloads its program.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from sandbox.options import ENV_PREFIX
from sandbox.settings import options
from tests.docs.pages import blocks
from tests.examples.actions import read_yaml
from tests.support.constants import ROOT
from tests.support.environments import environ
from tests.support.requirements import link_npm_packages, requires_node

PAGE = ROOT / "docs" / "frontend.md"
RECIPES = {
    block.text.partition("\n")[0].split()[1]: block.text.partition("\n")[2]
    for block in blocks(PAGE)
    if block.language == "ts"
}
IN_THE_EXAMPLE = ("vite.config.ts", "vitest.config.ts", "playwright.config.ts", "chat.spec.ts")
RUN_HERE = ("title.test.ts", "title.test.mjs", "msw.ts")
NOT_RUN = ("proxy.ts", "cypress.config.mjs")
VITEST_CONFIG = 'export default { test: { globalSetup: "dimedove-sandbox/vitest/setup" } };\n'
MSW_TEST = """
import { test } from "dimedove-sandbox/vitest";
import { setupServer } from "msw/node";
import { expect } from "vitest";
import { sandbox } from "./msw";

test("the sandbox is reached, and nothing else", async ({ dimedove }) => {
  const server = setupServer(sandbox);
  server.listen({ onUnhandledRequest: "error" });
  expect((await dimedove.settings()).status).toBe("live");
  expect((await fetch(`${dimedove.baseUrl}/apps/${dimedove.appId}/config`)).status).toBe(401);
  await expect(fetch("http://127.0.0.1:1/other")).rejects.toThrow();
  server.close();
});
"""


def run_in(folder: Path, packages: str, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program of `node_modules`, in a folder with packages of npm."""
    link_npm_packages(folder, "dimedove-sandbox", *packages.split())
    mine = shlex.join([sys.executable, "-P", "-m", "sandbox"])
    environment = environ(DIMEDOVE_SANDBOX_COMMAND=mine, PYTHONPATH=str(ROOT), NO_COLOR="1", CI="1", **env)
    return subprocess.run(  # noqa: S603 - our own recipes
        [requires_node(), *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def run_vitest(folder: Path, packages: str = "", **files: str) -> subprocess.CompletedProcess[str]:
    for name, text in {"vitest.config.mjs": VITEST_CONFIG, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return run_in(folder, f"vitest {packages}", "node_modules/vitest/vitest.mjs", "run")


def test_every_recipe_is_accounted_for() -> None:
    assert sorted(RECIPES) == sorted([*IN_THE_EXAMPLE, *RUN_HERE, *NOT_RUN])


def test_a_recipe_of_the_example_stands_there() -> None:
    example = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "examples/web").glob("*.config.ts"))
    example += (ROOT / "examples/web/tests/chat.spec.ts").read_text(encoding="utf-8")
    assert [name for name in IN_THE_EXAMPLE if RECIPES[name] not in example] == []


def test_the_recipe_for_vitest_passes(tmp_path: Path) -> None:
    done = run_vitest(tmp_path, **{"title.test.ts": RECIPES["title.test.ts"]})
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_test_that_fails_says_what_the_page_shows(tmp_path: Path) -> None:
    misspelt = RECIPES["title.test.ts"].replace('"user_1", title:', '"user_1", titel:')
    done = run_vitest(tmp_path, **{"title.test.ts": misspelt})
    [shown] = [block.text for block in blocks(PAGE) if block.language == "text"]
    pattern = ".*?".join(re.escape(part) for part in shown.strip().split("…"))
    assert re.search(pattern, done.stderr, re.DOTALL), done.stdout + done.stderr


def test_the_handler_for_msw_lets_the_sandbox_through(tmp_path: Path) -> None:
    done = run_vitest(tmp_path, "msw", **{"msw.ts": RECIPES["msw.ts"], "msw.test.ts": MSW_TEST})
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_recipe_for_jest_passes(tmp_path: Path) -> None:
    (tmp_path / "title.test.mjs").write_text(RECIPES["title.test.mjs"], encoding="utf-8")
    (tmp_path / "package.json").write_text("{}", encoding="utf-8")
    command = ["node_modules/jest/bin/jest.js", "--rootDir", str(tmp_path)]
    done = run_in(tmp_path, "jest", *command, NODE_OPTIONS="--experimental-vm-modules")
    assert "1 passed" in done.stderr, done.stdout + done.stderr


def test_the_workflow_sets_what_there_is() -> None:
    [workflow] = [read_yaml(block.text) for block in blocks(PAGE) if block.language == "yaml"]
    [job] = workflow["jobs"].values()
    known = {ENV_PREFIX + name.upper() for name in (*options(), "url")}
    assert {*job["env"], *job["services"]["sandbox"]["env"]} <= known
