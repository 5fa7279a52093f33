"""The businesses of which an app is one: their facts, topics and entries, read from `vocabulary/businesses/`.

An entry is one thing that customers write about: samples of how they write it, what is answered, what must be known
before it is done. `common.txt` has the entries of every business; one with the same id in a business's
file replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.text import fold, kind_of
from sandbox.agent.turn import Language, Pair

NAMES: Final = (
    *("insurance", "clinic", "home_services", "retail", "travel", "real_estate", "banking", "school", "restaurant"),
    *("telecom", "energy", "automotive", "software", "general"),
)
"""All businesses, as the setting `business` names them (docs/control.md, Apps)."""

TIERS: Final = frozenset(
    [
        *("premium", "basic", "standard", "gold", "silver", "platinum"),
        *("free", "pro", "plus", "enterprise", "starter", "trial"),
    ]
)
"""Names of plans that don't say what they are plans of."""

_COMMON: Final = "common"


class Line(NamedTuple):
    """One wording of what is said, where `condition` holds ("" always)."""

    condition: str
    text: Pair


class Topic(NamedTuple):
    """What several entries are about: its noun without an article, and the words that tell it.

    `names` are these words and the noun in both languages, folded.
    """

    id: str
    label: Pair
    form: str
    words: tuple[str, ...]
    names: tuple[str, ...]

    def yours(self, lang: Language) -> str:
        """Return it as the customer's: "your debit card", « votre carte de débit »."""
        if lang == "en":
            return f"your {self.label.en}"
        return f"{'vos' if 'p' in self.form else 'votre'} {self.label.fr}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """One thing that customers write about.

    `asks` are the slots that must be known before it is done, each group under its condition; `questions` its own
    wordings for some of them. Without `asks` and `offer` it is done once it is said. `effect` is what doing it changes:
    "cancel" and "move" an appointment. One that is `alone` only answers a message that asks for nothing else;
    one that is `whole` a message that is a sample and nothing else. What it `needs` ("booking") must be known.
    """

    id: str
    kinds: frozenset[str]
    samples: tuple[tuple[str, ...], tuple[str, ...]]
    says: tuple[Line, ...]
    title: Pair | None = None
    topic: str = ""
    offers: tuple[Line, ...] = ()
    asks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    questions: Mapping[str, Pair] = field(default_factory=dict)
    dones: tuple[Line, ...] = ()
    effect: str = ""
    alone: bool = False
    whole: bool = False
    needs: str = ""

    @property
    def books(self) -> bool:
        """Whether it ends with a time that is booked."""
        return any("when" in slots for _, slots in self.asks)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Business:
    """One business: who it is, when it is open, what it knows.

    `trade` is the one of NAMES that it is; `common` are its entries that every business has, `taught` those of an agent
    profile.
    """

    name: str
    trade: str
    facts: Mapping[str, Pair]
    questions: Mapping[str, Pair]
    hours: tuple[tuple[str, str] | None, ...]
    visits: tuple[int, int]
    topics: Mapping[str, Topic]
    entries: Mapping[str, Entry]
    common: frozenset[str]
    taught: frozenset[str] = frozenset()

    def about(self, entry: Entry | None, lang: Language) -> str:
        """Return what an entry is about as the customer's: "your debit card", « votre carte de débit »."""
        topic = self.topics.get(entry.topic) if entry else None
        if topic is None:
            return "your visit" if lang == "en" else "votre visite"
        return topic.yours(lang)


@lru_cache(maxsize=256)
def business(name: str) -> Business:
    """Return the business with this name: one of NAMES, or one and an agent profile (`profiled`)."""
    trade, _, profile = name.partition(" ")
    known = _of_trade(trade)
    return _taught(known, name, json.loads(profile)) if profile else known


def profiled(trade: str, profile: Mapping[str, Any]) -> str:
    """Return the name of the business that a profile makes of one of NAMES (schemas/control/agent-profile.json)."""
    return f"{trade} {json.dumps(profile, sort_keys=True)}"


@cache
def _of_trade(name: str) -> Business:
    own, common = _read(name), _read(_COMMON)
    first, _, last = own.facts["visits"].en.partition("-")
    return Business(
        name=name,
        trade=name,
        facts={**common.facts, **own.facts},
        questions={**common.questions, **own.questions},
        hours=tuple(_span(text) for text in own.facts["hours"].en.split(", ")),
        visits=(int(first), int(last)),
        topics=own.topics,
        entries={**common.entries, **own.entries},
        common=frozenset(common.entries) - frozenset(own.entries),
    )


@dataclass(slots=True)
class _File:
    """A file of `vocabulary/businesses/` as it is read."""

    facts: dict[str, Pair] = field(default_factory=dict)
    questions: dict[str, Pair] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)


@cache
def _read(name: str) -> _File:
    """Read the file of a business.

    Raises:
        ValueError: a line can't be read; the message names the file and the line.
    """
    path = vocabulary.FOLDER / "businesses" / f"{name}.txt"
    read, section, rows = _File(), "", list[tuple[str, str]]()
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), "# end"], 1):
        try:
            if line.startswith(("#", "##")):
                if rows:
                    entry = _entry(rows)
                    read.entries[entry.id] = entry
                    rows = []
                if line.startswith("## "):
                    section = line[3:].strip()
                elif line != "# end":
                    rows = [("id", line[2:].strip())]
            elif line.strip():
                _keep(read, section, line, rows)
        except (ValueError, IndexError, KeyError) as error:
            raise ValueError(f"{path.name}:{number}: {error}") from error
    return read


def _keep(read: _File, section: str, line: str, rows: list[tuple[str, str]]) -> None:
    if section == "topics":
        key, en, fr, form, words = (part.strip() for part in line.split(" | "))
        label, told = pair(f"{en} | {fr}"), tuple(words.split(", "))
        read.topics[key] = Topic(key, label, form, told, tuple(map(fold, (*told, *label))))
        return
    key, _, text = line.partition(":")
    if section == "entries":
        rows.append((key.strip(), text.strip()))
    elif key.startswith("ask "):
        read.questions[key[4:]] = pair(text)
    elif key == "hours":
        read.facts[key] = Pair(", ".join(part.strip() for part in text.split("|")), "")
    else:
        read.facts[key] = pair(text)


def _entry(rows: Sequence[tuple[str, str]]) -> Entry:
    """Return the entry that a block of lines makes."""
    known = dict(rows)
    return Entry(
        id=known["id"],
        topic=known.get("topic", ""),
        kinds=frozenset(kind.strip() for kind in known["kind"].split(",")),
        samples=(tuple(_samples(known["en"])), tuple(_samples(known["fr"]))),
        title=pair(known["title"]) if known.get("title") else None,
        says=tuple(_lines(rows, "say")),
        offers=tuple(_lines(rows, "offer")),
        asks=tuple(_asks(rows)),
        questions={key[4:]: pair(text) for key, text in rows if key.startswith("ask ")},
        dones=tuple(_lines(rows, "done")),
        effect=known.get("effect", ""),
        alone=known.get("alone") == "yes",
        whole=known.get("whole") == "yes",
        needs=known.get("needs", ""),
    )


def _samples(text: str) -> Iterator[str]:
    return (sample.strip() for sample in text.split(" | ") if sample.strip())


def _asks(rows: Sequence[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, text in rows:
        if key == "ask" or key.startswith("ask["):
            yield key[4:-1], tuple(slot.strip() for slot in text.split(","))


def _lines(rows: Sequence[tuple[str, str]], name: str) -> Iterator[Line]:
    for key, text in rows:
        if key == name or key.startswith(f"{name}["):
            yield Line(key[len(name) + 1 : -1], pair(text))


def pair(text: str) -> Pair:
    """Return the texts in both languages that ` | ` keeps apart; one alone stands for both."""
    en, mark, fr = text.strip().partition(" | ")
    if " | " in fr:
        raise ValueError("more than one ` | `")
    english = en.strip().replace("\\n", "\n")
    return Pair(english, vocabulary.typography(fr.strip().replace("\\n", "\n")) if mark else english)


def _span(text: str) -> tuple[str, str] | None:
    start, _, end = text.partition("-")
    return None if text == "closed" else (start, end)


_FACTS: Final[Mapping[str, str]] = {"company": "company", "phone": "phone_us", "email": "email_us"}
# What is asked in any way: a question of an agent profile is answered to all of these, and to its own kind.
_SOFT: Final = frozenset(("yesno", "what", "how", "which", "problem", "want"))


def _taught(base: Business, name: str, profile: Mapping[str, Any]) -> Business:
    """Return a business with what a profile says of it on top."""
    facts = {fact: _localized(profile[key]) for key, fact in _FACTS.items() if key in profile}
    hours = profile.get("hours")
    entries = [*_faq(profile.get("faq", ())), *_prices(profile.get("prices", ()))]
    if "address" in profile:
        address = base.entries["address"]
        entries.append(replace(address, says=(Line("", _localized(profile["address"])),)))
    return replace(
        base,
        name=name,
        facts={**base.facts, **facts},
        hours=tuple(_span(hours[part]) for part in ("weekdays", "saturday", "sunday")) if hours else base.hours,
        entries={**base.entries, **{entry.id: entry for entry in entries}},
        taught=frozenset(entry.id for entry in entries),
    )


def _localized(value: Any) -> Pair:
    en, fr = (value, value) if isinstance(value, str) else (value["en"], value["fr"])
    return Pair(en, vocabulary.typography(fr))


def _faq(rows: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
    for number, row in enumerate(rows, 1):
        en, fr = (row["question"][lang] for lang in ("en", "fr"))
        samples = ((en,) if isinstance(en, str) else tuple(en), (fr,) if isinstance(fr, str) else tuple(fr))
        title = _localized(row["title"]) if "title" in row else None
        kinds = _SOFT | {kind for text in sum(samples, ()) if (kind := kind_of(text))}
        says = (Line("", _localized(row["answer"])),)
        yield Entry(id=f"faq_{number}", samples=samples, says=says, title=title, kinds=kinds)


def _prices(rows: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
    for number, row in enumerate(rows, 1):
        (en, fr), price = _localized(row["service"]), _localized(row["price"])
        samples = (
            (f"How much is {en}?", f"price of {en}", f"{en} cost"),
            (f"Combien coûte {fr}?", f"prix {fr}", f"c'est combien {fr}"),
        )
        answer = {"en": f"{en[:1].upper()}{en[1:]}: {price.en}.", "fr": f"{fr[:1].upper()}{fr[1:]} : {price.fr}."}
        title = Pair(f"Price: {en}", f"Prix{vocabulary.NO_BREAK}: {fr}")
        says = (Line("", _localized(answer)),)
        yield Entry(id=f"price_{number}", samples=samples, says=says, title=title, kinds=frozenset(("price",)))
