"""Every command and every example of README and docs/ is run, and prints what its page says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from sandbox import create_app
from sandbox.settings import load_settings
from tests.docs.pages import ADDRESS, Block, ci_commands, every_block, output_of, read
from tests.support.environments import clone, environ, run, starting
from tests.support.processes import Server
from tests.support.requirements import DEMANDS_ALL, link_npm_packages, requires_curl, requires_node, requires_packages

BLOCKS = every_block()
# Its commands need the generators themselves: `.ci/contract-tools` runs every one of them.
GENERATORS = "docs/generate-a-client.md"


def of_language(name: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == name]


def is_run_by_ci(block: Block) -> bool:
    return block.page == GENERATORS or set(block.text.splitlines()) <= ci_commands()


def is_for_docker(block: Block) -> bool:
    return block.text.startswith("docker ")


def makes_an_environment(block: Block) -> bool:
    return "-m venv" in block.text


def serves(block: Block) -> bool:
    return " serve" in block.text


# Lines that stand in `.ci/run` are run there; test_dockerfile.py plays what Docker would do.
SHELL = [block for block in of_language("sh") if not is_run_by_ci(block) and not is_for_docker(block)]


def test_the_generators_page_is_run_by_the_tools_that_it_is_about() -> None:
    assert GENERATORS in read(".ci/contract-tools")
    assert len([block for block in BLOCKS if block.page == GENERATORS]) == 6


def test_every_block_is_of_a_language_that_is_run() -> None:
    """For YAML and TypeScript see tests/examples/test_guide.py and tests/docs/test_frontend_page.py."""
    assert {block.language for block in BLOCKS} == {"sh", "python", "js", "ts", "toml", "yaml", "text"}


@pytest.mark.parametrize("block", [block for block in SHELL if makes_an_environment(block)], ids=str)
def test_a_command_that_makes_an_environment_works_in_a_fresh_clone(block: Block, tmp_path: Path) -> None:
    requires_packages()
    copy = clone(tmp_path / "clone")
    with starting(["bash", "-c", block.text], cwd=copy, env=environ(DIMEDOVE_SANDBOX_PORT="0")) as server:
        assert urlopen(f"{server.url}/_sandbox/health").status == 200  # noqa: S310 - our own server
        assert_printed(server.stop(), block, server.url)


FOREGROUND = [block for block in SHELL if serves(block)]


@pytest.mark.parametrize("block", [block for block in FOREGROUND if not makes_an_environment(block)], ids=str)
def test_a_command_that_serves_starts_a_server(block: Block, clone_with_environment: Path) -> None:
    env = environ(DIMEDOVE_SANDBOX_PORT="0")
    with starting(["bash", "-c", block.text], cwd=clone_with_environment, env=env) as server:
        assert urlopen(f"{server.url}/_sandbox/health").status == 200  # noqa: S310 - our own server


@pytest.mark.parametrize("block", [block for block in SHELL if not serves(block)], ids=str)
def test_a_command_does_what_its_page_says(block: Block, clone_with_environment: Path, server: Server) -> None:
    if "curl " in block.text:
        requires_curl()
    script = "set -euo pipefail\n" + at(server.url, block.text)
    if "check.sh" in script and not DEMANDS_ALL:
        script = script.rstrip() + " --check APP"  # the suite's own tests have every check
    assert_printed(run(["bash", "-c", script], cwd=clone_with_environment), block, server.url)


@pytest.mark.parametrize("block", of_language("python"), ids=str)
def test_a_python_example_runs(block: Block, tmp_path: Path, server: Server) -> None:
    printed = run([sys.executable, "-W", "error", "-c", at(server.url, block.text)], cwd=tmp_path)
    assert_printed(printed, block, server.url)


@pytest.mark.parametrize("block", of_language("js"), ids=str)
def test_a_node_example_runs(block: Block, tmp_path: Path, server: Server) -> None:
    if '"dimedove-sandbox' in block.text:
        link_npm_packages(tmp_path, "dimedove-sandbox")
    command = [requires_node(), "--input-type=module", "--eval", at(server.url, block.text)]
    env = environ(DIMEDOVE_SANDBOX_URL=server.url)
    assert_printed(run(command, cwd=tmp_path, env=env), block, server.url)


@pytest.mark.parametrize("block", of_language("toml"), ids=str)
def test_a_config_file_sets_a_server(block: Block, tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text(block.text, encoding="utf-8")
    settings = load_settings({}, {}, config)
    assert settings.apps or settings.scenarios
    assert create_app(settings)


def at(url: str, text: str) -> str:
    """Return an example with the address of a running server."""
    return text.replace(ADDRESS, url)


def assert_printed(printed: str, block: Block, url: str) -> None:
    """Hold what came out against the page, where it says something; `…` stands for anything."""
    expected = output_of(block)
    if expected is None:
        return
    pattern = ".*?".join(re.escape(part) for part in at(url, expected).strip().split("…"))
    assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"{block} says:\n{expected}\nbut this came:\n{printed}"


@pytest.fixture(scope="module")
def shared_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the clone whose `.venv` is the environment of this run."""
    copy = clone(tmp_path_factory.mktemp("shared") / "clone")
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


@pytest.fixture
def clone_with_environment(shared_clone: Path) -> Iterator[Path]:
    """That copy; what a command has made in it is gone afterwards."""
    before = set(shared_clone.rglob("*"))
    yield shared_clone
    for path in sorted(set(shared_clone.rglob("*")) - before, reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
