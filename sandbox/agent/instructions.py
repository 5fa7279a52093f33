"""Follows the instruction of a completion: tells its kind, and writes a text of that kind. Reads no special words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from sandbox.agent import businesses, dialogue, intents, language, phrase_book, telling, topics, vocabulary
from sandbox.agent.language import Language
from sandbox.agent.speech import Voice, laid_out
from sandbox.agent.text import READ_LIMIT, fold, read
from sandbox.agent.tools import SPELLED
from sandbox.agent.turn import Prompt, Turn

_MOST_COPIED: Final = 2_000
_SENTENCE = re.compile(r"[^.!?\n]{1,600}[.!?]*")
_COUNT = re.compile(r"\b(\d{1,2})\b")
_CHOICES = re.compile(
    r"(?:one of|either|among|between|parmi|entre|as|categories?|options?)\s?:?\s([\w ,/'\"-]{3,200})", re.IGNORECASE
)
_KEYS = re.compile(r"[\"'`]([A-Za-z_]\w{0,30})[\"'`]")
_NAMED_KEYS = re.compile(r"(?:keys|fields|properties|with|cles|champs|avec)\s?:?\s([\w ,]{3,200})")


def split(text: str) -> tuple[str, str]:
    """Return the instruction of a prompt and the text that it is about, perhaps empty."""
    head = text[: READ_LIMIT * 2].strip()
    for mark in ("\n\n", ":\n", ": ", " :", "\n"):
        before, found, after = head.partition(mark)
        if found and after.strip() and len(before) < 400:
            return before, after.strip().strip('"«»“”').strip()
    return head, ""


@cache
def _kinds() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the kinds of instruction in the order in which they are tried, with the words that tell them."""
    listed = vocabulary.load("replies/completions")["kinds"].items()
    return tuple((kind, tuple(_needle(word) for word in words.split(", "))) for kind, words in listed)


def _needle(word: str) -> str:
    return f" {word[:-1]}" if word.endswith("*") else f" {word} "


@cache
def _wordings(lang: Language) -> Mapping[str, Any]:
    data: Mapping[str, Any] = vocabulary.load("replies/completions")[lang]
    return data if lang == "en" else {key: vocabulary.typeset(value) for key, value in data.items()}


# How a class may be called that a message of an intent belongs to.
_CLASSES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("problem", "claim"), ("tech", "support", "soutien", "problem", "incident", "claim", "reclam")),
    **dict.fromkeys(("payment", "refund"), ("bill", "factur", "pay", "pai", "refund", "rembours")),
    **dict.fromkeys(("quote", "price"), ("sale", "vente", "quote", "soumission", "price", "prix")),
    **dict.fromkeys(("booking", "rescheduling"), ("book", "appoint", "rendez", "reserv", "schedul")),
    **dict.fromkeys(("complaint", "wrong"), ("complain", "plainte", "insatisf")),
    "cancelling": ("cancel", "annul", "churn", "resili"),
}


class Task:
    """One instruction to follow, with all that is known about it."""

    def __init__(self, prompt: Prompt, text: str, lang: Language) -> None:
        self.prompt = prompt
        self.lang: Language = lang
        self.instruction, self.content = split(text)
        self.padded = read(self.instruction[:READ_LIMIT]).spaced
        self.words = _wordings(lang)
        self.topic = topics.detect(text, prompt.metadata)
        self.voice = self._voice(self.content or text)
        name = prompt.metadata.get("first_name")
        known = name if isinstance(name, str) and 0 < len(name) <= 60 and name.isprintable() else ""
        about = (
            businesses.about(self.topic, lang) if self.topic else ("our services" if lang == "en" else "nos services")
        )
        bare = re.sub("^(?:your|the|our|votre|vos|le|la|les|nos) ", "", about)
        self.voice.facts.update(
            name=f" {known}" if known else "", comma_name=f", {known}" if known else "", about=about, about_bare=bare
        )

    def text(self) -> str:
        """Return the answer."""
        kind = next((kind for kind, words in _kinds() if any(word in self.padded for word in words)), None)
        return _MAKERS[kind](self) if kind else self._plain()

    def _voice(self, text: str) -> Voice:
        prompt = self.prompt
        turn = Turn(
            profile=prompt.profile,
            conversation=prompt.here,
            position=0,
            now=prompt.now,
            message=text,
            metadata=prompt.metadata,
            memory=(),
        )
        return Voice(turn, text, self.lang, intents.detect(text), self.topic, self.topic is not None)

    def say(self, key: str) -> str:
        """Return a wording of one kind of text, filled in."""
        return str(self.voice.pick(self.words[key])).format_map(self.voice.facts)

    def _plain(self) -> str:
        """Answer an instruction of no known kind: a question, a customer's message, or a subject to write about."""
        if " yes or no " in self.padded or " oui ou non " in self.padded:
            return self.say("yes")
        asks = "?" in self.instruction
        if language.tell(self.instruction) is None and not self.topic:
            return self.say("welcome")
        if self.voice.reading.intent or self.voice.reading.kind in ("greeting", "thanks", "goodbye", "submitted"):
            return self.reply()
        answer = telling.known_answer(self.voice) if asks else None
        if answer:
            return _closed(answer.format_map(self.voice.facts))
        return self.say("answer" if asks else "write")

    def reply(self) -> str:
        """Answer a customer's message."""
        return laid_out([self.voice.say("hello"), *dialogue.respond(self.voice).parts])

    def summary(self) -> str:
        """Sum up the text that came with the instruction, else a conversation about its topic."""
        sentences = [
            found.strip() for found in _SENTENCE.findall(self.content[:_MOST_COPIED]) if len(found.strip()) > 3
        ]
        if len(sentences) < 2:
            return self.say("summary") if not sentences else str(self.words["short"]) + _closed(sentences[0])
        kept = [sentences[0], max(sentences[1:], key=len)]
        if any(word in self.padded for word in (" bullet", " points ", " puces ", " list")):
            return "\n".join([str(self.words["points"]), "", *(f"- {_closed(sentence)}" for sentence in sentences[:4])])
        return " ".join(_closed(sentence) for sentence in kept)

    def rewrite(self) -> str:
        """Give the text back, tidied; shorter where that is asked."""
        if not self.content:
            return self.say("write")
        sentences = [found.strip() for found in _SENTENCE.findall(self.content[:_MOST_COPIED]) if found.strip()]
        if any(word in self.padded for word in (" shorten", " raccourci", " shorter ", " plus court")):
            sentences = sentences[:1]
        return " ".join(_closed(sentence) for sentence in sentences) or self.content

    def translate(self) -> str:
        """Translate what the phrase book has, sentence by sentence; for another sentence, say something of its kind."""
        source = self.content or re.sub(r"^.*?[\"“«](.*?)[\"”»].*$", r"\1", self.instruction, flags=re.DOTALL)
        said = []
        for sentence in _SENTENCE.findall(source[:_MOST_COPIED])[:12]:
            found = phrase_book.translated(sentence, self.lang)
            if found:
                said.append(found)
        return " ".join(said) if said else self.say("translate")

    def items(self) -> str:
        """Return as many items as were asked for, five without a number."""
        match = _COUNT.search(self.instruction)
        spelled = next((count for word, count in SPELLED.items() if f" {word} " in self.padded), 5)
        count = max(1, min(int(match[1]) if match else spelled, 20))
        own = [str(item) for item in self.voice.facts.data["documents"]] if "document" in self.padded else []
        pool = own or list(self.words["list"])
        start = 0 if own else self.prompt.here.random("list").randrange(len(pool))
        chosen = [pool[(start + number) % len(pool)] for number in range(min(count, len(pool)))]
        numbered = " step" in self.padded or " etape" in self.padded or match is not None
        return "\n".join(f"{number}. {item}" if numbered else f"- {item}" for number, item in enumerate(chosen, 1))

    def field(self) -> str:
        """Return a short value for the field that is named."""
        told = next(
            (f"{self.prompt.metadata[key]}" for key in self.prompt.metadata if f" {fold(key)} " in self.padded), ""
        )
        if told and len(told) <= 60:
            return told
        if " date " in self.padded:
            return self.voice.facts.slots()[0][0].isoformat()
        for words, english, french in vocabulary.load("replies/completions")["fields"]:
            if any(f" {word}" in self.padded for word in words.split(", ")):
                return str(self.voice.pick(vocabulary.typeset(french) if french and self.lang == "fr" else english))
        return str(self.voice.facts["about_bare"])

    def classify(self) -> str:
        """Return one of the classes that are named, else a sentiment."""
        wanted = self.voice.reading.intent
        if "positi" in self.padded or "sentiment" in self.padded:
            bad = wanted in ("complaint", "problem", "claim", "refund", "cancelling", "wrong")
            mood = "negative" if bad else "positive" if self.voice.reading.thanks else "neutral"
            return str(self.words[mood])
        match = _CHOICES.search(self.instruction)
        options = (
            [part.strip(" '\"") for part in re.split(r",|/|\bor\b|\bou\b|\band\b|\bet\b", match[1])] if match else []
        )
        options = [option for option in options if option]
        told = next((option for option in options if fold(option) in fold(self.content)), None)
        hints = _CLASSES.get(wanted or "", ())
        told = told or next((option for option in options if any(hint in fold(option) for hint in hints)), None)
        if told or options:
            return told or str(self.voice.pick(options))
        return (wanted or "question") if self.lang == "en" else str(self.voice.facts["about"])

    def json(self) -> str:
        """Return a JSON object with the keys that are named."""
        names = _KEYS.findall(self.instruction) or _KEYS.findall(self.content)
        if not names:
            match = _NAMED_KEYS.search(fold(self.instruction))
            names = re.split(r",| and | et ", match[1]) if match else ["topic", "intent", "language"]
        keys = [re.sub(r"\W+", "_", name.strip()) for name in names if name.strip()]
        return json.dumps({key: self._json_value(key) for key in keys[:30]}, ensure_ascii=False, indent=2)

    def _json_value(self, key: str) -> object:
        known: dict[str, object] = {
            "language": f"{self.lang}-ca",
            "intent": self.voice.reading.intent or "question",
            "topic": self.voice.facts["about_bare"],
            "subject": self.voice.facts["about_bare"],
            "summary": self.say("summary"),
            "urgent": self.voice.reading.urgent,
            "sentiment": self.words["neutral"],
        }
        if key in known:
            return known[key]
        self.padded = f" {fold(key).replace('_', ' ')} "
        return self.field()


def _closed(sentence: str) -> str:
    """Return a sentence with a capital and a full stop."""
    text = sentence.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


_MAKERS: Final[Mapping[str, Callable[[Task], str]]] = {
    "json": Task.json,
    "translate": Task.translate,
    "classify": Task.classify,
    "summary": Task.summary,
    "rewrite": Task.rewrite,
    "subject": lambda task: task.say("subject"),
    "email": lambda task: task.say("email"),
    "reply": Task.reply,
    "welcome": lambda task: task.say("welcome"),
    "list": Task.items,
    "field": Task.field,
    "value": Task.field,
}
