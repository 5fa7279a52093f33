"""Whatever the product has, has its place in the documents; whatever they name, is there."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

from sandbox import errors, magic
from sandbox.agent.turn import SPECIAL_WORDS
from sandbox.cli import conform
from sandbox.contract import load
from sandbox.options import flag
from sandbox.settings import options
from tests.docs.pages import documents, links, prose, read
from tests.support.constants import ROOT

CONTRACT = load()
WORDS = [f"[[{word}" for word in SPECIAL_WORDS]
KINDS = sorted({kind.type for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "type")})
EVENTS = sorted({event for operation in CONTRACT.operations for event in operation.events})
COMMANDS = [path.stem for path in (ROOT / "sandbox/cli").glob("*.py") if "def add_parser" in path.read_text("utf-8")]
FLAGS = {flag(name) for name in (*options(), *conform.OPTIONS)} | {
    *("--artifacts", "--coverage", "--env", "--format", "--verdict"),  # of exec and env
    "--config",
    *("--dimedove-bundle", "--dimedove-coverage"),
    "--help",
    "--keep-serving",
    "--list",
    "--no-quiet",
    *("--test", "--experimental-vm-modules", "--prefix", "--save-dev"),  # of Node and npm
}
# Whatever a person wrote in words, with the name of its file.
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("sandbox", "tests", "docs", "bench", "examples", "packages", "pytest_dimedove", ".ci")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {"", ".py", ".js", ".mjs", ".ts", ".tsx", ".sh"} and path.is_file()
    if not {"node_modules", "dist"} & set(path.parts)
}
CLAUSE = r"docs/contract\.md\s+(?P<clauses>[0-9][0-9., and]*)|docs/control\.md,\s+(?P<heading>[A-Z][\w ]+)"
FILE = r"(?<![\w./-])((?:(?:sandbox|schemas|tests|docs|bench|examples)/[\w./-]+\.[a-z]+)|[\w-]+\.md)\b"
MADE_BY_TESTS = {"coverage.md", "summary.md"}
FLAGS_OF_BENCH = set(re.findall(r'"(--[a-z-]+)"', read("bench/__main__.py") + read("bench/limits.py")))


def test_a_value_that_always_behaves_the_same_way_is_in_the_readme() -> None:
    values = [*magic.KEYS, *magic.APPS, *magic.WORDS, *WORDS]
    parts = [part.strip() for value in values for part in re.split(r"(?<=]]) ", value)]
    assert [part for part in parts if part not in read("README.md")] == []


def test_all_that_the_contract_has_is_in_its_page() -> None:
    """Values that always behave the same way; a row for each operation, error and event."""
    operations = [
        f"| `{operation.id}` | {operation.method} `{operation.path.removeprefix(CONTRACT.base)}` |"
        for operation in CONTRACT.operations
    ]
    rows = [f"\n| `{name}` |" for name in (*KINDS, *EVENTS)]
    texts = [*magic.KEYS, *magic.APPS, *WORDS, *operations, *rows]
    assert [text for text in texts if text not in read("docs/contract.md")] == []


def test_a_flag_that_is_named_exists() -> None:
    named = {flag for page in documents() for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose(page))}
    assert named - (FLAGS | FLAGS_OF_BENCH) == set()


def test_a_command_is_shown() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in documents())
    assert [command for command in COMMANDS if f"dimedove-sandbox {command}" not in text] == []


def test_a_path_that_is_named_exists() -> None:
    pattern = r"`((?:sandbox|schemas|tests|docs|bench|\.ci)/[\w./-]*)`"
    named = {path for page in documents() for path in re.findall(pattern, page.read_text(encoding="utf-8"))}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_a_link_leads_somewhere() -> None:
    dead = [
        f"{page.name}: {link}"
        for page in documents()
        for link in links(page)
        if not link.startswith("https://") and not leads(page, link)
    ]
    assert dead == []


def test_a_clause_that_is_named_exists() -> None:
    """Code and pages name a clause as `docs/contract.md 4.1` or `docs/control.md, Faults`."""
    clauses = set(re.findall(r'<a id="([0-9.]+)"></a>|^## ([0-9]+)\. ', read("docs/contract.md"), re.MULTILINE))
    numbers = {number for pair in clauses for number in pair}
    headings = re.findall(r"^#+ (.+)$", read("docs/control.md"), re.MULTILINE)
    assert [
        f"{name}: {mention[0]}"
        for name, text in TEXTS.items()
        for mention in re.finditer(CLAUSE, text)
        if not set(re.findall(r"[0-9]+(?:\.[0-9]+)?", mention["clauses"] or "")) <= numbers
        or (mention["heading"] and not mention["heading"].startswith(tuple(headings)))
    ] == []


def test_a_file_that_is_named_in_code_exists() -> None:
    """A path from the root with its extension, or by its name alone a page of docs/ or a file of the same folder."""
    assert [
        f"{name}: {path}"
        for name, text in TEXTS.items()
        for path in re.findall(FILE, text)
        if not any((ROOT / folder / path).exists() for folder in ("", "docs", Path(name).parent))
        and path not in MADE_BY_TESTS
    ] == []


def test_an_object_of_ours_that_a_page_names_exists() -> None:
    """A dotted name such as `sandbox.Settings`, or a module."""
    names = {name for page in documents() for name in re.findall(r"`(sandbox(?:\.\w+)+)`", prose(page))}
    assert [name for name in sorted(names) if not is_importable(name)] == []


def is_importable(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def leads(page: Path, link: str) -> bool:
    """Say whether a link's file is there, and in it the anchor or heading that the link names."""
    name, _, anchor = link.partition("#")
    target = (page.parent / name) if name else page
    if not target.exists() or not anchor:
        return target.exists()
    text = target.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return f'<a id="{anchor}"></a>' in text or anchor in slugs
