"""The titles that an app makes for its conversations: pairs in Canadian English and French that mean the same thing.

A conversation is born with a title of the app's business, drawn from `vocabulary/titles/`; once its first exchange is
answered it gets the title of what that exchange is about (docs/contract.md 5.1), which the entry that answered has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox.agent import understanding, vocabulary
from sandbox.agent.businesses import NAMES, TIERS, Entry, business
from sandbox.agent.dates import MONTHS, write_time
from sandbox.agent.text import GREETINGS, fold, kind_of
from sandbox.agent.turn import Pair, parse_directives
from sandbox.rng import Entropy

if TYPE_CHECKING:
    from faker.providers import BaseProvider

MAX_TITLE: Final = 80
_BEGUN: Final = 3  # letters of a word by which topics are looked up

Value = tuple[str, ...]
"""English, French, then the French form with "de" and the one with its article, where there are such."""

_FORMS: Final = {"of": 2, "the": 3}
_PLACES = re.compile(r"\{([a-z.]+)\}")
_WITH_PLACES: Final = 0.22  # of the drawn titles have a date, a city or a name in them
# Metadata that says what a conversation is about; the rest is about the person.
_TOPIC_KEYS = re.compile(
    r"subject|topic|department|plan|product|interest|category|reason|issue|policy_type|service|sujet|raison|motif"
)


class _Title(NamedTuple):
    """A pair with places to fill."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    names: tuple[str, ...]


def provisional(entropy: Entropy, name: str) -> Pair:
    """Return a pair that a conversation of a business may be born with."""
    return draw(entropy.random("title"), name)


def of_exchange(name: str, *, message: str, metadata: Mapping[str, Any], title: str | None) -> Pair:
    """Return the pair of a conversation whose first exchange is about `message`."""
    text = parse_directives(message).rest.strip()
    kind = _distress(text)
    if kind:
        return kind
    entry = _best(name, text)
    if entry and not entry.alone and entry.title:
        return entry.title
    told = of_topic(name, metadata, title)
    if told:
        return told
    if entry and entry.title:
        return entry.title
    return _topic(name, text) or _general(text)


def of_topic(name: str, metadata: Mapping[str, Any], title: str | None) -> Pair | None:
    """Return the pair of what a custom title or the metadata tell, None where they tell no topic."""
    texts = [title] if title and title.strip() else []
    texts += [text for key, value in metadata.items() if _TOPIC_KEYS.search(key.lower()) for text in _spoken(value)]
    for text in texts:
        entry = _best(name, text)
        found = entry.title if entry and not entry.alone else _topic(name, text)
        if found:
            return found
    return None


def draw(random: Random, name: str) -> Pair:
    """Return a pair about anything that a business's customers write about."""
    plain, placed, pools = _drawn(business(name).trade)
    titles = placed if placed and random.random() < _WITH_PLACES else plain
    title = vocabulary.pick(titles, random)
    values = {place: _value(place, random, pools) for place in title.names}
    return Pair(_fill(title.english, values, 0), _fill(title.french, values, 1))


@cache
def provider() -> type[BaseProvider]:
    """Return the Faker provider with `title_pair()`, for `Faker().add_provider(provider())`."""
    from faker.providers import BaseProvider  # slow to load, and only users of Faker need it

    class TitleProvider(BaseProvider):
        """Draws title pairs from Faker's own generator."""

        def title_pair(self) -> Pair:
            """Return a pair in Canadian English and French."""
            random = self.generator.random
            return draw(random, vocabulary.pick(NAMES, random))

    return TitleProvider


def _best(name: str, text: str) -> Entry | None:
    """Return the entry that a text is surely about."""
    found = [wish.entry for wish in understanding.wishes(name, text, None, booked=False) if wish.confidence == "sure"]
    return next((entry for entry in found if entry and not entry.alone), found[0] if found else None)


def _topic(name: str, text: str) -> Pair | None:
    """Return the name of the topic of which a text has a word, the longest word first."""
    spaced = f" {fold(text[:400]).replace('_', ' ')} "
    begun = {word[:_BEGUN] for word in spaced.split(" ")}
    words = [row for key in begun & _topic_words(name).keys() for row in _topic_words(name)[key]]
    found = [(-len(word), place, label) for place, word, label in words if f" {word}" in spaced]
    return min(found)[2] if found else None


@cache
def _topic_words(name: str) -> Mapping[str, Sequence[tuple[int, str, Pair]]]:
    """Return by their beginnings the words that tell a topic of a business, with their places in its list."""
    topics = business(name).topics.values()
    words = [(word, topic.label) for topic in topics for word in topic.names if len(word) > 2]
    found: dict[str, list[tuple[int, str, Pair]]] = {}
    for place, (word, label) in enumerate(words):
        row = (place, word, Pair(_capital(label.en), _capital(label.fr)))
        found.setdefault(word.partition(" ")[0][:_BEGUN], []).append(row)
    return found


@cache
def _common() -> Mapping[str, Pair]:
    """Return the titles of kinds of distress, of kinds of questions, and of what is neither."""
    return {row[0]: Pair(row[1], row[2]) for row in vocabulary.lines("titles/common")["# titles"]}


def _distress(text: str) -> Pair | None:
    kind = understanding.distress(fold(text))
    return _common().get(kind.name, _common()["urgent"]) if kind else None


def _general(text: str) -> Pair:
    if not any(character.isalnum() for character in text):
        return _common()["unclear"]
    greets = len(text) < 40 and fold(text).split()[0] in GREETINGS
    return _common()["greeting"] if greets else _common().get(kind_of(text) or "", _common()["question"])


def _spoken(value: object) -> Iterator[str]:
    """Yield the texts of a value of the metadata, as words."""
    if isinstance(value, str):
        if 0 < len(value) <= 200 and value.lower() not in TIERS:
            yield value.replace("_", " ")
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _spoken(inner)
    elif isinstance(value, Sequence):
        for inner in value[:5]:
            yield from _spoken(inner)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _drawn(name: str) -> tuple[Sequence[_Title], Sequence[_Title], Mapping[str, Sequence[Value]]]:
    """Return the titles that a business draws from: those without places, those with some, what can fill them.

    No amount is drawn, as nobody has said one.
    """
    entries = business(name).entries.values()
    own = [_Title(entry.title[:1], entry.title[1:], ()) for entry in entries if entry.title and entry.topic]
    if not vocabulary.FOLDER.joinpath("titles", f"{name}.txt").is_file():
        return own, (), {}
    sections = vocabulary.lines(f"titles/{name}")
    pools = {**_pools(vocabulary.lines("titles/slots")), **_pools(sections)}
    rows = [row for head, rows in sections.items() if head[0] == "#" for row in rows]
    known = {*pools, *_MAKERS}
    usable = [title for row in rows if known.issuperset((title := _compile(row[1], row[2])).names)]
    return [*own, *(title for title in usable if not title.names)], [title for title in usable if title.names], pools


def _pools(sections: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, Sequence[Value]]:
    return {head[2:]: tuple(map(_row, rows)) for head, rows in sections.items() if head[0] == "="}


def _row(row: Sequence[str]) -> Value:
    return (row[0], *map(vocabulary.typography, row[1:] or row))


def _compile(english: str, french: str) -> _Title:
    parts = tuple(tuple(_PLACES.split(text)) for text in (english, vocabulary.typography(french)))
    names = dict.fromkeys(part.partition(".")[0] for side in parts for part in side[1::2])
    return _Title(parts[0], parts[1], tuple(names))


def _fill(parts: Sequence[str], values: Mapping[str, Value], column: int) -> str:
    out = list(parts)
    for position in range(1, len(parts), 2):
        name, _, form = parts[position].partition(".")
        text = values[name][_FORMS.get(form, column)]
        out[position] = _capital(text) if form == "cap" else text
    return "".join(out)


def _value(place: str, random: Random, pools: Mapping[str, Sequence[Value]]) -> Value:
    pool = pools.get(place)
    return vocabulary.pick(pool, random) if pool is not None else _MAKERS[place](random)


def _dates(*months: int) -> Callable[[Random], Value]:
    """Return a maker of days when people work: no 1st of January or July, nothing around Christmas."""

    def day(random: Random) -> Value:
        month = vocabulary.pick(months, random)
        number = 1 + int(random.random() * 23) if month not in (1, 7) else 3 + int(random.random() * 20)
        french = f"{'1er' if number == 1 else number} {MONTHS['fr'][month - 1]}"
        return f"{MONTHS['en'][month - 1]} {number}", french

    return day


def _times(*choices: tuple[int, int]) -> Callable[[Random], Value]:
    def time(random: Random) -> Value:
        chosen = vocabulary.pick(choices, random)
        return write_time(chosen, "en").replace(vocabulary.NO_BREAK, " "), write_time(chosen, "fr")

    return time


def _numbers(low: int, high: int) -> Callable[[Random], Value]:
    def number(random: Random) -> Value:
        text = str(low + int(random.random() * (high - low + 1)))
        return text, text

    return number


@cache
def _people() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return the first and last names of Faker, a pair a locale."""
    from faker.providers.person.en_US import Provider as English  # slow to load: only titles with people need it
    from faker.providers.person.fr_CA import Provider as French

    return tuple((tuple(locale.first_names), tuple(locale.last_names)) for locale in (French, French, English))


def _person(random: Random) -> Value:
    first, last = (vocabulary.pick(names, random) for names in _people()[int(random.random() * 3)])
    return f"{first} {last}", f"{first} {last}"


def _doctor(random: Random) -> Value:
    name = vocabulary.pick(_people()[0][1], random)
    return f"Dr. {name}", f"la Dre {name}" if random.random() < 0.5 else f"le Dr {name}"


_OFFICE = tuple((hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15, 16) for minute in (0, 0, 15, 30, 45))
_MAKERS: Final[Mapping[str, Callable[[Random], Value]]] = {
    "number": _numbers(20_148, 98_731),
    "party": _numbers(2, 8),
    "many": _numbers(12, 60),
    "date": _dates(*range(1, 13)),
    "fall": _dates(10, 11),
    "winter": _dates(1, 2, 3, 12),
    "spring": _dates(4, 5),
    "time": _times(*_OFFICE),
    "dinner": _times((17, 30), (18, 0), (18, 30), (19, 0), (19, 30), (20, 0), (20, 30)),
    "lunch": _times((11, 30), (11, 45), (12, 15), (12, 30), (13, 0)),
    "person": _person,
    "doctor": _doctor,
}


def preload() -> None:
    """Read the titles of every business."""
    for name in NAMES:
        _drawn(name)
