"""Reads the documents: their fenced blocks, their links, the words that they set as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.constants import ROOT

ADDRESS = "http://127.0.0.1:8010"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, its lines."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def documents() -> list[Path]:
    """Return every page for people, the top ones first."""
    patterns = ("*.md", "docs/**/*.md", "examples/*.md", "packages/*/*.md")
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def read(name: str) -> str:
    """Return a page's text."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    """Return a page's fenced blocks in their order."""
    text, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT).as_posix()
    return [Block(name, text.count("\n", 0, found.start()) + 1, found[1], found[2]) for found in _FENCE.finditer(text)]


def every_block() -> list[Block]:
    """Return the blocks of all pages."""
    return [block for page in documents() for block in blocks(page)]


def ci_commands() -> set[str]:
    """Return the lines of `.ci/run` that are commands."""
    lines = {line.strip() for line in read(".ci/run").splitlines()}
    return {line for line in lines if not line.startswith("#")}


def output_of(block: Block) -> str | None:
    """Return what a page says that an example prints: the next `text` block of the same section, if there is one."""
    lines = read(block.page).splitlines()
    after = next((n for n, line in enumerate(lines, 1) if n > block.line and line.startswith("## ")), len(lines))
    section = [other for other in blocks(ROOT / block.page) if block.line < other.line < after]
    return next((other.text for other in section if other.language == "text"), None)


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """Yield the targets of a page's links."""
    yield from _LINK.findall(prose(page))
