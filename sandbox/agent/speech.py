"""Words for what is to be said: chooses among the wordings, fills them, sets sentences into paragraphs.

Owns the choice and the layout; what to say is decided in `moves` and `dialogue`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sandbox.agent import businesses, matters, vocabulary, when
from sandbox.agent.facts import Facts
from sandbox.agent.intents import Reading
from sandbox.agent.language import Language
from sandbox.agent.text import READ_LIMIT, read
from sandbox.agent.topics import Topic
from sandbox.agent.turn import Turn, Utterance

_PARAGRAPH: Final = 160
_KEY: Final = 14


_HALF_DAY = re.compile(r"m\.(\*\*)?\.(?!\.)")  # "at 2 p.m." needs no second full stop


@cache
def acts(lang: Language) -> Mapping[str, Any]:
    """Return the wordings of one language by the name of what they do; French with its no-break spaces."""
    data: Mapping[str, Any] = vocabulary.load(f"replies/acts_{lang}")
    return data if lang == "en" else {key: vocabulary.typeset(value) for key, value in data.items()}


def question_of(text: str) -> str | None:
    """Return the kind of question that a text of ours ends with, None without one."""
    tail = text.rstrip()
    for question, kind in _questions().get(tail[-_KEY:], ()):
        if tail.endswith(question):
            return kind
    return None


@cache
def _questions() -> Mapping[str, list[tuple[str, str]]]:
    """Return all questions that we ask, with their kinds, by their last letters."""
    index: dict[str, list[tuple[str, str]]] = {}
    languages: tuple[Language, ...] = ("en", "fr")
    for lang in languages:
        kinds = [acts(lang)["questions"]]
        kinds += [businesses.business(name, lang) for name in (*vocabulary.businesses(), "general")]
        for table in kinds:
            for kind, texts in table.items():
                if kind in acts(lang)["questions"] or kind in ("quote", "reference"):
                    for text in texts:
                        index.setdefault(text[-_KEY:], []).append((text, kind))
        for kind, text in matters.questions(lang):
            index.setdefault(text[-_KEY:], []).append((text, kind))
    return index


class Voice:
    """Says things in one reply: knows the turn, its language, what was read in it, its topic and facts."""

    __slots__ = (
        *("_bits", "_conversation", "_position", "facts", "folded", "lang"),
        *("reading", "spaced", "text", "topic", "topic_is_new", "turn", "words"),
    )

    def __init__(
        self, turn: Turn, text: str, lang: Language, reading: Reading, topic: Topic | None, topic_is_new: bool
    ) -> None:
        self.turn = turn
        self.text = text
        self.lang: Language = lang
        self.reading = reading
        self.topic = topic
        self.topic_is_new = topic_is_new
        self.folded, self.words, self.spaced = read(text[:READ_LIMIT])
        self.facts = Facts(turn, lang, topic)
        # One hash for all choices of a conversation. The position is added, so that two replies that follow each
        # other never take the same wording.
        self._conversation = int(turn.conversation.hex(16, "wording"), 16)
        self._bits = self._conversation
        self._position = turn.position

    def pick(self, options: Sequence[Any]) -> Any:
        """Return one of `options`, by the conversation, the position in it and how many were picked before."""
        self._bits = self._bits // 7 or self._conversation * 31 + 1
        return options[(self._bits + self._position) % len(options)]

    @property
    def first(self) -> bool:
        """Whether this is the first reply of the conversation: earlier messages may have had none."""
        return all(said.role == "user" for said in self.turn.memory)

    def say(self, act: str) -> str:
        """Return one wording of `act`, filled in."""
        said = str(self.pick(acts(self.lang)[act])).format_map(self.facts)
        return _HALF_DAY.sub(r"m.\1", said) if self.lang == "en" and "m." in said else said

    def ask(self, kind: str) -> str:
        """Return one wording of a question."""
        if kind in ("quote", "reference"):
            return str(self.pick(self.facts.data[kind]))
        return str(self.pick(acts(self.lang)["questions"][kind]))

    def speak_of(self, phrase: str, *, unless: Sequence[str]) -> None:
        """Call the matter by another phrase, unless people usually want one of `unless` with the topic."""
        if businesses.usual_intent(self.topic) not in unless:
            self.facts["about"] = self.facts[phrase]

    def last_reply(self) -> Utterance | None:
        """Return what we said last, if that was the last thing said."""
        memory = self.turn.memory
        return memory[-1] if memory and memory[-1].role == "assistant" else None

    def wish(self) -> when.Wish | None:
        """Return the coming day or time that the message names."""
        return when.read(self.folded, self.facts.today)


def laid_out(parts: Sequence[str]) -> str:
    """Join what is said into paragraphs: lists stand alone, and the last part (a question) as soon as it gets long."""
    paragraphs: list[str] = []
    for number, part in enumerate(filter(None, parts)):
        before = paragraphs[-1] if paragraphs else ""
        apart = "\n" in part or "\n" in before or len(before) + len(part) > _PARAGRAPH + 60 * (number < 2)
        if before and not apart:
            paragraphs[-1] = f"{before} {part}"
        else:
            paragraphs.append(part)
    return "\n\n".join(paragraphs)
