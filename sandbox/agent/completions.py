"""Answers a completion: one text after an instruction. Calls no tools and sends no forms (docs/contract.md 6.2).

What can be done exactly is done: echo, JSON by named keys, a list, a translation of what the vocabulary has, a short
value of a form. For anything else there is one well-formed paragraph on the prompt's own noun.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from sandbox.agent import entities, understanding, vocabulary
from sandbox.agent.businesses import business
from sandbox.agent.rendering import ReplyBuilder, failure_reason, laid_out, listed_words, shown_off
from sandbox.agent.text import MAX_READ, detect, fold, numbers, of_metadata, read, tell
from sandbox.agent.turn import Directives, Language, Ledger, Pair, Prompt, Turn, parse_directives
from sandbox.agent.vocabulary import alternatives
from sandbox.reply import Message, Reply

_TO_FRENCH = re.compile(r"\b(?:to|into|in|en|vers le) (?:canadian |quebec )?(?:french|francais)\b")
_TO_ENGLISH = re.compile(r"\b(?:to|into|in|en|vers l') ?(?:canadian )?(?:english|anglais)\b")
_ECHO = re.compile(
    rf"^\s*{alternatives('echo')}(?: back)?(?: {alternatives('echo exactly')})+ ?:?\s*[\"“«]?\s*(.+?)\s*[\"”»]?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_TRANSLATE = re.compile(r"\btranslat|\btradui|\btraduction")
_JSON_ARRAY = re.compile(r"\bjson (?:array|list)|\b(?:tableau|liste) json|\barray of\b")
_JSON = re.compile(r"\bjson\b")
_LIST = re.compile(alternatives("listed"))
_WELCOME = re.compile(r"\b(?:welcome|greet\w*|say (?:hello|hi)|bienvenue|accueil\w*|dis(?:ons)? bonjour|salutation)\b")
_NAMES_FIELD = re.compile(alternatives("field"))
_COUNT = re.compile(r"\b(\d{1,2})\b")
_KEYS = re.compile(r"[\"'`]([A-Za-z_]\w{0,30})[\"'`]")
_NAMED_KEYS = re.compile(r"(?:keys|fields|properties|cles|champs)\s?:?\s([\w ,]{3,200})")
_SENTENCE = re.compile(r"[^.!?\n]{1,600}[.!?]*")
_MAX_COPIED: Final = 2_000


def complete(prompt: Prompt) -> Reply:
    """Return the answer to `prompt`: one text, or a failure."""
    asked = parse_directives(prompt.text)
    lang = _language(prompt, asked)
    pace, cut = asked.pace, asked.has("cut")
    if asked.has("fail"):
        return Reply(failure=failure_reason(lang), pace=pace, cut=cut)
    return Reply(output=(Message(text=_text(prompt, asked, lang)),), pace=pace, cut=cut)


def _text(prompt: Prompt, asked: Directives, lang: Language) -> str:
    if asked.unknown:
        return listed_words(asked, lang)
    if asked.echo is not None:
        return asked.echo
    shown = shown_off(asked, lang, prompt.here)
    return shown if shown is not None else _followed(prompt, asked.rest, lang)


def _language(prompt: Prompt, asked: Directives) -> Language:
    """Return the language of the answer: the one that is asked for, else that of the instruction."""
    instruction = fold(split(asked.rest)[0][:MAX_READ])
    if _TO_FRENCH.search(instruction):
        return "fr"
    if _TO_ENGLISH.search(instruction):
        return "en"
    return tell(instruction) or detect(asked.rest, of_metadata(prompt.metadata))


def split(text: str) -> tuple[str, str]:
    """Return the instruction of a prompt and the text that it is about, perhaps empty."""
    head = text[: MAX_READ * 2].strip()
    for mark in ("\n\n", ":\n", ": ", " :", "\n"):
        before, _, after = head.partition(mark)
        if after.strip() and len(before) < 400:
            return before, after.strip().strip('"«»“”').strip()
    return head, ""


def _followed(prompt: Prompt, text: str, lang: Language) -> str:
    """Follow an instruction, as far as that can be done exactly."""
    instruction, content = split(text)
    folded = read(instruction[:MAX_READ]).folded
    echo = _ECHO.match(text[:_MAX_COPIED])
    if echo and not _JSON.search(folded):
        return echo[1]
    builder = _builder(prompt, content or text, lang)
    if _TRANSLATE.search(folded):
        return _translated(prompt, content or _quoted(instruction), lang) or _paragraph(builder, content or text)
    made = next((make for pattern, make in _MAKERS if pattern.search(folded)), None)
    if made:
        return made(builder, instruction, content)
    value = _value(builder, folded)
    return value if value is not None else _answered(builder, text) or _paragraph(builder, content or text)


def _answered(builder: ReplyBuilder, text: str) -> str | None:
    """Return the answer of the entry that a prompt asks for as a customer would, None where there is none."""
    found = understanding.wishes(builder.business.name, text, None, booked=False)
    entry = next((wish.entry for wish in found if wish.confidence == "sure"), None)
    answer = builder.line(entry.says) if entry else None
    return laid_out([answer]) if answer else None


def _array(builder: ReplyBuilder, instruction: str, _: str) -> str:
    return json.dumps(_items(builder, fold(instruction)), ensure_ascii=False)


def _welcome(builder: ReplyBuilder, _: str, __: str) -> str:
    name = builder.turn.metadata.get("first_name")
    known = f", {name}" if isinstance(name, str) and 0 < len(name) <= 60 and name.isprintable() else ""
    return builder.say("welcome", name=known)


def _list(builder: ReplyBuilder, instruction: str, content: str) -> str:
    if content:
        return _answered(builder, content) or _paragraph(builder, content)
    return "\n".join(f"- {item}" for item in _items(builder, fold(instruction)))


def _builder(prompt: Prompt, text: str, lang: Language) -> ReplyBuilder:
    turn = Turn(
        profile=prompt.profile, conversation=prompt.here, now=prompt.now, message=text, metadata=prompt.metadata
    )
    return ReplyBuilder(turn, Ledger(), lang)


def _paragraph(builder: ReplyBuilder, text: str) -> str:
    noun = entities.noun(text, builder.lang)
    other = "this" if builder.lang == "en" else "ce sujet"
    return builder.say("paragraph", noun=noun or other)


def _items(builder: ReplyBuilder, folded: str) -> list[str]:
    """Return as many of the business's services as were asked for, five without a number."""
    match = _COUNT.search(folded)
    spelled = next((count for word, count in numbers().items() if f" {word} " in f" {folded} "), 5)
    count = max(1, min(int(match[1]) if match else spelled, 20))
    labels = [topic.label.of(builder.lang) for topic in builder.business.topics.values()]
    start = builder.draw(3, len(labels))
    chosen = [labels[(start + number) % len(labels)] for number in range(min(count, len(labels)))]
    return [label[:1].upper() + label[1:] for label in chosen]


def _json(builder: ReplyBuilder, instruction: str, content: str) -> str:
    """Return a JSON object with the keys that are named."""
    names = _KEYS.findall(instruction) or _KEYS.findall(content)
    if not names:
        match = _NAMED_KEYS.search(fold(instruction))
        names = re.split(r",| and | et ", match[1]) if match else ["topic", "language"]
    keys = [re.sub(r"\W+", "_", name.strip()) for name in names if name.strip()]
    return json.dumps({key: _json_value(builder, key) for key in keys[:30]}, ensure_ascii=False, indent=2)


def _json_value(builder: ReplyBuilder, key: str) -> object:
    if key in ("language", "langue", "lang"):
        return f"{builder.lang}-ca"
    told = builder.turn.metadata.get(key)
    if isinstance(told, str | int | float | bool):
        return told
    found = _value(builder, fold(key).replace("_", " "))
    return found if found is not None else _items(builder, "1")[0]


def _value(builder: ReplyBuilder, folded: str) -> str | None:
    """Return a short value for the field of a form that is named, None where none is."""
    spaced = f" {folded} "
    for key, value in builder.turn.metadata.items():
        if isinstance(value, str) and 0 < len(value) <= 60 and f" {fold(key).replace('_', ' ')} " in spaced:
            return value
    for words, english, french in vocabulary.load("completions")["fields"]:
        if _NAMES_FIELD.search(folded) and any(f" {word} " in spaced for word in words.split(", ")):
            return str(builder.pick(vocabulary.typeset(french) if french and builder.lang == "fr" else english))
    return None


def _quoted(instruction: str) -> str:
    return re.sub(r"^.*?[\"“«](.*?)[\"”»].*$", r"\1", instruction, flags=re.DOTALL)


def _translated(prompt: Prompt, source: str, lang: Language) -> str | None:
    """Return a text in `lang`, sentence by sentence, where the vocabulary has its sentences."""
    known = _phrases(prompt.profile.business, lang)
    said = []
    for sentence in _SENTENCE.findall(source[:_MAX_COPIED])[:12]:
        found = known.get(_key(sentence))
        if found is None:
            return None
        ending = sentence.strip()[-1:]
        said.append(found + (ending if ending in ".!?" and found[-1:] not in ".!?" else ""))
    return " ".join(said) or None


@cache
def _phrases(name: str, lang: Language) -> Mapping[str, str]:
    """Return the sentences that can be translated into a language: the phrase book's, the business's and its titles."""
    pairs = [Pair(*pair) for pair in vocabulary.load("completions")["phrases"]]
    known = business(name)
    pairs += [entry.title for entry in known.entries.values() if entry.title]
    pairs += [line.text for entry in known.entries.values() for line in entry.says if "{" not in line.text.en]
    pairs += [topic.label for topic in known.topics.values()]
    return {_key(pair.en if lang == "fr" else pair.fr): pair.of(lang) for pair in reversed(pairs)}


def _key(sentence: str) -> str:
    return fold(sentence).strip(" .!?,\"'«»“”")


# The first kind of instruction that is told makes the text.
_MAKERS: Final[tuple[tuple[re.Pattern[str], Callable[[ReplyBuilder, str, str], str]], ...]] = (
    (_JSON_ARRAY, _array),
    (_JSON, _json),
    (_WELCOME, _welcome),
    (_LIST, _list),
)
