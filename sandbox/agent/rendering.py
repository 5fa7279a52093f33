"""Puts what is said into words: chooses a wording, fills its places, lays the parts out. Decides nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from sandbox.agent import dates, entities, vocabulary
from sandbox.agent.businesses import TIERS, Business, Entry, Line, business, pair
from sandbox.agent.text import MAX_READ, fold, read
from sandbox.agent.turn import SPECIAL_WORDS, Directives, Language, Ledger, Pair, Turn
from sandbox.rng import Entropy

_MONEY: Final = ("balance", "coverage")
_PARAGRAPH: Final = 220
_SENTENCES: Final = 5  # of a paragraph of `[[long]]`
_SAYABLE = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f]{1,80}")
_PLACE = re.compile(r"\{([a-z0-9_.]+)\}")
_HALF_DAY = re.compile(r"m\.([*_]*)\.")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?")


@cache
def _wordings() -> Mapping[str, Sequence[Pair]]:
    return {
        heading[2:]: [pair(" | ".join(row)) for row in rows] for heading, rows in vocabulary.lines("wordings").items()
    }


@cache
def _colleagues() -> Sequence[str]:
    return [row[0] for row in vocabulary.lines("people")["= colleague"]]


class ReplyBuilder:
    """All that one reply is made with: the turn, the business, the ledger, and the words."""

    def __init__(self, turn: Turn, ledger: Ledger, lang: Language) -> None:
        self.turn = turn
        self.ledger = ledger
        self.lang: Language = lang
        self.business: Business = business(turn.profile.business)
        self.today: date = dates.today(turn.now)
        self.openings: list[dates.Opening] = []
        self._bits = int(turn.conversation.hex(16, "wording"), 16)
        self._left = self._bits

    def draw(self, place: int, count: int) -> int:
        """Return a number below `count` that belongs to the conversation and a place (0 to 12) in it."""
        return (self._bits >> (4 * place)) % count

    def pick(self, options: Sequence[Any]) -> Any:
        """Return one of `options`, by the conversation, the position in it and how many were picked before.

        The position is added, so that two replies that follow each other never take the same wording.
        """
        self._left = self._left // 7 or self._bits * 31 + 1
        return options[(self._left + self.turn.position) % len(options)]

    @property
    def folded(self) -> str:
        """The message as it is searched: folded, as much of it as is read."""
        return read(self.turn.message[:MAX_READ]).folded

    @property
    def first(self) -> bool:
        """Whether this is the first reply of the conversation."""
        return not self.turn.answered

    @property
    def first_name(self) -> str:
        """The first name that the metadata has, "" without one or where it is no text."""
        name = self.turn.metadata.get("first_name")
        return name if isinstance(name, str) else ""

    def say(self, act: str, **places: str) -> str:
        """Return one wording of `act`, filled in."""
        return self.fill(self.pick(_wordings()[act]), places)

    def _text(self, act: str, **places: str) -> str:
        """Return the only wording of `act`, filled in."""
        return self.fill(_wordings()[act][0], places)

    def line(self, lines: Sequence[Line]) -> str | None:
        """Return one of the lines whose condition holds, filled in; those with a condition come first."""
        fitting = [line for line in lines if line.condition and self.holds(line.condition)]
        fitting = fitting[:1] or [line for line in lines if not line.condition]
        return self.fill(self.pick(fitting).text, {}) if fitting else None

    def question(self, entry: Entry, slot: str) -> str:
        """Return the question for a slot: the entry's own, else the business's, else the common one."""
        own = entry.questions.get(slot) or self.business.questions.get(slot)
        return self.fill(own, {}) if own else self.say("slots")

    def holds(self, condition: str) -> bool:
        """Say whether what a condition names is known (`!` before it: is not)."""
        if condition.startswith("!"):
            return not self.holds(condition[1:])
        if condition == "booking":
            return bool(self.ledger.booking)
        if condition.startswith("meta."):
            return self.fact(condition[5:]) is not None
        return self.known(condition) is not None

    def known(self, slot: str) -> str | None:
        """Return what the customer told for a slot, or the metadata."""
        return self.ledger.told.get(slot) or entities.known(slot, self.turn.metadata)

    def fact(self, name: str) -> str | None:
        """Return a fact of the metadata as one says it."""
        for key in vocabulary.metadata_keys(name):
            value = self.turn.metadata.get(key)
            if value is not None and not isinstance(value, bool):
                return self._spoken(name, value)
        return None

    def fill(self, said: Pair, places: Mapping[str, str]) -> str:
        """Return a text with its places filled."""
        text = said.of(self.lang)
        if "{" in text:
            text = _PLACE.sub(lambda match: self.value(match[1], places), text)
        return _HALF_DAY.sub(r"m.\1", text) if self.lang == "en" and "m." in text else text

    def value(self, name: str, places: Mapping[str, str] = {}) -> str:
        """Return what stands at a place of a text."""
        if name in places:
            return places[name]
        if name.endswith("_low"):
            return lowered(self.value(name[:-4], places))
        if name.startswith("meta."):
            return self.fact(name[5:]) or ""
        fact = self.business.facts.get(name)
        if fact:
            return fact.of(self.lang)
        made = _MADE.get(name)
        return made(self) if made else self._told(name)

    def _told(self, name: str) -> str:
        value = self.known(name) or ""
        if name == "date" and value:
            return dates.write_date(date.fromisoformat(value), self.lang)
        if name == "amount":
            return money(value, self.lang) or value
        return value

    def _spoken(self, name: str, value: object) -> str | None:
        """Return a value of the metadata as one says it, None for one that can't be said."""
        if isinstance(value, Mapping):
            parts = [self._spoken(name, part) for part in value.values() if isinstance(part, str)]
            return " ".join(part for part in parts if part)[:120] or None
        if name in _MONEY and isinstance(value, int | float):
            return money(f"{value}", self.lang)
        if not isinstance(value, str) or not _SAYABLE.fullmatch(value):
            return None
        stamp = _ISO.match(value)
        if stamp:
            return self._stamp(stamp)
        return self._plan(value) if name == "plan" else value.replace("_", " ").strip()

    def _stamp(self, stamp: re.Match[str]) -> str | None:
        try:
            day = date(int(stamp[1]), int(stamp[2]), int(stamp[3]))
        except ValueError:
            return None
        if stamp[4]:
            return dates.write_opening((day, (int(stamp[4]), int(stamp[5]))), self.lang)
        return dates.write_date(day, self.lang)

    def _plan(self, value: str) -> str | None:
        """Return a plan as one says it: the topic that it names, never a machine's word."""
        words = fold(value).replace("_", " ")
        for topic in self.business.topics.values():
            if any(name in words or words in name for name in topic.names):
                return topic.label.of(self.lang)
        return value if " " in value and "_" not in value and words not in TIERS else None

    def number(self) -> str:
        """Return the number of the conversation's file, or of what was booked."""
        code = self.business.facts["code"].en
        return self.ledger.booking.get("number") or f"{code}-{100_000 + self.draw(1, 899_999)}"

    def _slot(self) -> str:
        at = self.ledger.told.get("when") or self.ledger.booking.get("slot")
        return dates.write_opening(dates.from_iso(at), self.lang) if at else ""

    def _hours(self) -> str:
        weekdays, saturday, sunday = map(self._span, self.business.hours)
        return self._text("hours_table", weekdays=weekdays, saturday=saturday, sunday=sunday)

    def _span(self, span: tuple[str, str] | None) -> str:
        if span is None:
            return self._text("closed")
        start, end = (dates.write_time(clock(text), self.lang) for text in span)
        return self._text("open_hours", start=start, end=end)

    def _call_window(self) -> str:
        """Return when a colleague calls: as was asked, else within two hours of the next working day."""
        day = dates.working_day(self.today, 1)
        wanted = dates.requested(self.folded, self.today)
        first = 9 + self.draw(4, 6)
        if wanted and wanted.days:
            day = wanted.days[0]
        if wanted and wanted.time:
            first = wanted.time[0]
        elif wanted and wanted.is_part:
            first = min(max(first, wanted.earliest), max(wanted.latest - 2, wanted.earliest))
        last = first + 2
        start, end = dates.write_time((first, 0), self.lang), dates.write_time((min(last, 23), 0), self.lang)
        return self._text("call_window", day=dates.write_day(day, self.lang), start=start, end=end)

    def _colleague(self) -> str:
        """Return the one person whom the conversation is handed to, never the customer's namesake."""
        names = [name for name in _colleagues() if name != self.known("name")]
        return names[self.draw(2, len(names))]

    def _phone_us(self) -> str:
        city = self.turn.metadata.get("city")
        known = fold(city) if isinstance(city, str) else ""
        codes = vocabulary.lines("words")["# area codes"]
        area = next((code for cities, code in codes if known and known in cities), "514")
        return f"{area}-555-01{10 + self.draw(5, 90)}"

    def _domain(self) -> str:
        name = fold(self.business.facts["company"].en)
        return "".join(letter for letter in name if letter.isalnum())[:24] + ".example"


_MADE: Final[Mapping[str, Callable[[ReplyBuilder], str]]] = {
    "agent": lambda b: b.turn.profile.name.strip() or b._text("no_agent"),
    "number": ReplyBuilder.number,
    "colleague": ReplyBuilder._colleague,
    "officer": lambda b: _colleagues()[b.draw(3, len(_colleagues()))],
    "privacy_email": lambda b: f"{'privacy' if b.lang == 'en' else 'vieprivee'}@{b._domain()}",
    "email_us": lambda b: f"{'hello' if b.lang == 'en' else 'bonjour'}@{b._domain()}",
    "phone_us": ReplyBuilder._phone_us,
    "soon": lambda b: dates.write_day(dates.working_day(b.today, 2 + b.draw(6, 3)), b.lang),
    "past": lambda b: dates.write_date(dates.working_day(b.today, -(1 + b.draw(7, 3))), b.lang),
    "slot": ReplyBuilder._slot,
    "hours_table": ReplyBuilder._hours,
    "open_today": lambda b: b._span(b.business.hours[max(0, b.today.weekday() - 4)]),
    "call_window": ReplyBuilder._call_window,
    "first_name": lambda b: b.first_name,
}


def lowered(text: str) -> str:
    """Return a text that begins small, unless it begins with a name of capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def clock(text: str) -> dates.Time:
    """Return the time of day that `9:00` names."""
    hour, _, minute = text.partition(":")
    return int(hour), int(minute or 0)


def money(text: str, lang: Language) -> str | None:
    """Return an amount as one writes it, `$1,042.50` or `1 042,50 $`; None where `text` is no number."""
    plain = re.sub(r"[^\d.,]", "", text)
    plain = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", plain).replace(",", ".")
    try:
        cents = round(float(plain) * 100)
    except ValueError:
        return None
    dollars, rest = divmod(cents, 100)
    if lang == "en":
        return f"${dollars:,}" + (f".{rest:02}" if rest else "")
    whole = f"{dollars:,}".replace(",", vocabulary.NO_BREAK)
    return whole + (f",{rest:02}" if rest else "") + f"{vocabulary.NO_BREAK}$"


def listed(openings: Sequence[dates.Opening], lang: Language) -> str:
    """Return openings as a list."""
    return "\n".join(f"- {dates.write_opening(opening, lang)}" for opening in openings)


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


@cache
def _showcase(lang: Language) -> Mapping[str, Any]:
    data: Mapping[str, Any] = vocabulary.load(f"showcase_{lang}")
    if lang == "en":
        return data
    # The Unicode sample chooses its spaces itself.
    return {key: value if key == "unicode" else vocabulary.typeset(value) for key, value in data.items()}


def failure_reason(lang: Language) -> str:
    """Return the reason of a reply that `[[fail]]` made fail."""
    return str(_showcase(lang)["failure"])


def listed_words(asked: Directives, lang: Language) -> str:
    """Return the answer to unknown special words: which ones there are."""
    texts = _showcase(lang)
    strange = ", ".join(f"`{word}`" for word in asked.unknown)
    listed = "\n".join(f"- `[[{word}]]` {texts['words'][word]}" for word in SPECIAL_WORDS)
    return f"{texts['unknown'].replace('{words}', strange)}\n\n{listed}"


def shown_off(asked: Directives, lang: Language, here: Entropy, hello: str = "") -> str | None:
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
            parts.append("\n".join(_showcase(lang)[name]))
    return "\n\n".join(parts)


def _long(count: int, lang: Language, here: Entropy) -> str:
    """Return exactly `count` words of running text in paragraphs."""
    sentences: list[str] = []
    random = here.random("long")
    left = count
    while left > 0:
        pool = list(_showcase(lang)["sentences"])
        random.shuffle(pool)
        for sentence in pool:
            words = sentence.split()
            sentences.append(sentence if len(words) <= left else " ".join(words[:left]).rstrip(",;:.") + ".")
            left -= len(words)
            if left <= 0:
                break
    paragraphs = (sentences[start : start + _SENTENCES] for start in range(0, len(sentences), _SENTENCES))
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)
