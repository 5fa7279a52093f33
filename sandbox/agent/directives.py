"""The special words of a message or prompt (docs/contract.md 10): reads them, and has the texts that they ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any, Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.turn import Language
from sandbox.reply import Pace
from sandbox.rng import Entropy

KNOWN: Final = ("fail", "slow", "cut", "tool", "form", "human", "echo", "markdown", "long", "unicode")
"""All special words, in the order in which they are listed to a user."""

SLOW_MS: Final = 2_000
SLOW_DELTA_MS: Final = 100
MAX_SLOW_MS: Final = 600_000
LONG_WORDS: Final = 2_000
MAX_LONG_WORDS: Final = 20_000

_MAX_UNKNOWN: Final = 10
_MAX_WORDS: Final = 1_000
_FEW: Final = 40  # so many different words are taken out one by one, more in one go
_PARAGRAPH: Final = 5  # sentences
_BRACKETED = re.compile(r"\[\[([^\[\]\n]{1,90})\]\]")
_NAME = re.compile(r"[^\W\d_][\w-]*")
_NUMBER = re.compile(r"[0-9]+")
_GAP = re.compile(" {2,}")
_ECHO = re.compile(r"\[\[ {0,3}echo {0,3}\]\]", re.IGNORECASE)


class Word(NamedTuple):
    """One special word as it stood in the text; `number` is None where none was given."""

    name: str
    number: int | None = None


class Directives(NamedTuple):
    """The special words of one text.

    `words` are the known ones in the order of their first appearance, `unknown` the others as they were written,
    `rest` is the text without either, `echo` what follows `[[echo]]`, None without one.
    """

    words: tuple[Word, ...] = ()
    unknown: tuple[str, ...] = ()
    rest: str = ""
    echo: str | None = None

    def has(self, name: str) -> bool:
        """Say whether the known word `name` is among them."""
        return name in [word.name for word in self.words]

    def number(self, name: str, default: int) -> int:
        """Return the number that stands with `name`, `default` without one."""
        return next((word.number for word in self.words if word.name == name and word.number is not None), default)

    @property
    def pace(self) -> Pace | None:
        """The pace that `[[slow]]` asks for, None without it; more than ten minutes is ten minutes."""
        if not self.has("slow"):
            return None
        return Pace(first_ms=min(self.number("slow", SLOW_MS), MAX_SLOW_MS), delta_ms=SLOW_DELTA_MS)

    @property
    def long(self) -> int:
        """How many words `[[long]]` asks for: at least 1, at most 20,000."""
        return max(1, min(self.number("long", LONG_WORDS), MAX_LONG_WORDS))


def parse(text: str) -> Directives:
    """Read the special words of `text`, in any case; all that follows `[[echo]]` is quoted and has no effect."""
    if "[[" not in text:
        return Directives(rest=text)
    echo = _ECHO.search(text)
    if echo is None:
        return _parsed(text, None)
    before, after = text[: echo.start()], text[echo.end() :]
    return _parsed(before, after.removeprefix(" "))


def _parsed(text: str, echo: str | None) -> Directives:
    words: dict[str, Word] = {}
    unknown: list[str] = []
    taken: set[str] = set()
    # A word said a hundred thousand times is read once; of a hundred thousand words, the first thousand.
    for bracketed in islice(dict.fromkeys(_BRACKETED.findall(text)), _MAX_WORDS):
        word = _word(bracketed)
        if word is None:
            continue
        taken.add(bracketed)
        if isinstance(word, Word):
            words.setdefault(word.name, word)
        elif len(unknown) < _MAX_UNKNOWN:
            unknown.append(f"[[{bracketed}]]")
    rest = _without(text, taken) if taken else text
    if echo is not None:
        words["echo"] = Word("echo")
    return Directives(words=tuple(words.values()), unknown=tuple(unknown), rest=rest, echo=echo)


def _word(bracketed: str) -> Word | str | None:
    """Return a known word, the name of an unknown one, or None for what is no special word (a link of a wiki)."""
    if bracketed in KNOWN:
        return Word(bracketed)
    name, *arguments = bracketed.lower().split() or [""]
    if not _NAME.fullmatch(name) or len(arguments) > 1:
        return None
    if not arguments:
        return Word(name) if name in KNOWN else name
    numbered = _NUMBER.fullmatch(arguments[0]) is not None
    if name in KNOWN:
        return Word(name, int(arguments[0])) if numbered else name
    return name if numbered else None


def _without(text: str, taken: set[str]) -> str:
    """Return `text` without the bracketed words that were taken."""
    if len(taken) > _FEW:
        return _closed(_BRACKETED.sub(lambda match: " " if match[1] in taken else match[0], text))
    for bracketed in taken:
        text = text.replace(f"[[{bracketed}]]", " ")
    return _closed(text)


def _closed(text: str) -> str:
    """Close the gaps that taken words left."""
    return _GAP.sub(" ", text).strip()


@cache
def _texts(lang: Language) -> Mapping[str, Any]:
    data: Mapping[str, Any] = vocabulary.load(f"showcase_{lang}")
    if lang == "en":
        return data
    # The Unicode sample chooses its spaces itself.
    return {key: value if key == "unicode" else vocabulary.typeset(value) for key, value in data.items()}


def failure(lang: Language) -> str:
    """Return the reason of a reply that `[[fail]]` made fail."""
    return str(_texts(lang)["failure"])


def known(asked: Directives, lang: Language) -> str:
    """Return the answer to unknown special words: which ones there are."""
    texts = _texts(lang)
    strange = ", ".join(f"`{word}`" for word in asked.unknown)
    listed = "\n".join(f"- `[[{word}]]` {texts['words'][word]}" for word in KNOWN)
    return f"{texts['unknown'].replace('{words}', strange)}\n\n{listed}"


def shown(asked: Directives, lang: Language, here: Entropy, hello: str = "") -> str | None:
    """Return the text that the special words of a text ask for, begun with `hello`; None where they ask for none.

    With `[[long]]` alone the words, those of `hello` among them, are exactly as many as were asked for.
    """
    names = [word.name for word in asked.words if word.name in ("markdown", "long", "unicode")]
    if not names:
        return None
    parts = [hello] if hello else []
    for name in names:
        if name == "long":
            parts.append(_long(max(1, asked.long - len(hello.split())), lang, here))
        else:
            parts.append("\n".join(_texts(lang)[name]))
    return "\n\n".join(parts)


def _long(count: int, lang: Language, here: Entropy) -> str:
    """Return exactly `count` words of running text in paragraphs."""
    sentences: list[str] = []
    random = here.random("long")
    left = count
    while left > 0:
        pool = list(_texts(lang)["sentences"])
        random.shuffle(pool)
        for sentence in pool:
            words = sentence.split()
            sentences.append(sentence if len(words) <= left else " ".join(words[:left]).rstrip(",;:.") + ".")
            left -= len(words)
            if left <= 0:
                break
    paragraphs = (sentences[start : start + _PARAGRAPH] for start in range(0, len(sentences), _PARAGRAPH))
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)
