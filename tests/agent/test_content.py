"""What the businesses know and say: laws over all files of `vocabulary/businesses/`, each naming its offenders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from sandbox.agent import understanding, vocabulary
from sandbox.agent.businesses import NAMES, Business, Entry, business
from sandbox.agent.text import tell
from sandbox.agent.titles import MAX_TITLE
from sandbox.agent.turn import Pair

KINDS = frozenset(
    ["price", "when", "howlong", "where", "why", "who", "how", "which", "yesno", "what", "problem", "want"]
)
SLOTS = frozenset(
    ["ref", "last4", "name", "phone", "email", "address", "postal", "date", "when", "party", "amount", "detail"]
)
PLACES = SLOTS | frozenset(
    [
        "agent",
        "scope",
        "trade",
        "visit",
        "visit_note",
        "email_us",
        "hours_table",
        "open_today",
        "call_window",
        "officer",
        "privacy_email",
        "slot",
        "number",
        "soon",
        "past",
        "colleague",
        "team",
        "company",
        "phone_us",
    ]
)
CONDITIONS = frozenset(
    [
        "booking",
        "ref",
        "amount",
        "date",
        "name",
        "phone",
        "email",
        "address",
        "party",
        "postal",
        "meta.balance",
        "meta.due_date",
        "meta.plan",
        "meta.appointment",
        "meta.renewal_date",
        "meta.coverage",
        "meta.order_status",
    ]
)
FORMS = re.compile(r"[mf]p?")
FACTS = ("trade", "company", "code", "scope", "team", "hours", "visits", "visit", "visit_note")
PLACE = re.compile(r"\{([^}]*)\}")
MAX_LINE = 400

FILLER = re.compile(
    r"good question|i can answer that|let me check your file|\byour request\b|in your file|\bshall i\b"
    r"|is there anything else|great question|happy to help|bonne question|je peux vous renseigner|votre demande est"
    r"|noté à votre dossier|y a-t-il autre chose|vous aider avec autre chose|meilleur numéro",
    re.IGNORECASE,
)
FRENCH_SPACE = re.compile(r"[ \u00a0\u202f][?!;]|«(?!\u202f)|(?<!\u202f)»|\"|(?<=\w):(?=\s)")
SENTENCE_CASE = re.compile(r"^[A-ZÀ-ÝŒ0-9].*[^.!;:,]$")


@cache
def own(name: str) -> tuple[Business, tuple[Entry, ...]]:
    """Return a business and the entries of its file."""
    known = business(name)
    common = {id(entry) for entry in _common().values()}
    return known, tuple(entry for entry in known.entries.values() if id(entry) not in common)


@cache
def _common() -> dict[str, Entry]:
    shared = [set(map(id, business(name).entries.values())) for name in NAMES]
    return {
        entry.id: entry
        for name in NAMES
        for entry in business(name).entries.values()
        if sum(id(entry) in ids for ids in shared) > 1
    }


def entries() -> Iterator[tuple[str, Entry]]:
    """Yield all entries with the name of their file."""
    for name in NAMES:
        for entry in own(name)[1]:
            yield name, entry
    for entry in _common().values():
        yield "common", entry


def said(entry: Entry) -> Iterator[Pair]:
    """Yield all that an entry may say."""
    for lines in (entry.says, entry.offers, entry.dones):
        yield from (line.text for line in lines)
    yield from entry.questions.values()


def offenders(is_bad: Callable[[Entry, Pair], object]) -> list[str]:
    return [
        f"{name}/{entry.id}: {pair.en} | {pair.fr}"
        for name, entry in entries()
        for pair in said(entry)
        if is_bad(entry, pair)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_finds_its_own_entry(name: str) -> None:
    lost = []
    for entry in own(name)[1]:
        for side in entry.samples:
            found = understanding.wishes(name, side[0], None, booked=bool(entry.needs))
            if entry.id not in [wish.entry.id for wish in found if wish.entry and wish.confidence == "sure"]:
                lost.append(f"{entry.id}: {side[0]}")
            for sample in side[1:]:
                wish, _ = understanding.find(name, sample, None, bool(entry.needs))
                if wish.entry is not entry or wish.confidence != "sure":
                    lost.append(f"{entry.id}: {sample}")
    assert lost == []


@pytest.mark.parametrize("name", NAMES)
def test_common_samples_find_their_entry_in_every_business(name: str) -> None:
    known = business(name)
    lost = []
    for entry in _common().values():
        if known.entries[entry.id] is not entry:
            continue  # the business answers it in its own way
        for side in entry.samples:
            wish, _ = understanding.find(name, side[0], None, bool(entry.needs))
            if wish.entry is None or wish.entry.title != entry.title:
                lost.append(f"{entry.id}: {side[0]} -> {wish.entry and wish.entry.id}")
    assert lost == []


@pytest.mark.parametrize("name", NAMES)
def test_a_business_has_its_facts(name: str) -> None:
    known = business(name)
    assert [fact for fact in FACTS if fact not in known.facts] == []
    assert len(known.hours) == 3
    assert known.hours[0] is not None
    assert 0 <= known.visits[0] < known.visits[1] <= 23
    assert len(known.entries) >= 60
    assert {entry.topic for entry in known.entries.values()} <= {"", *known.topics}
    assert [
        topic.id for topic in known.topics.values() if not FORMS.fullmatch(topic.form) or len(topic.words) < 2
    ] == []


def test_ids_of_entries_and_topics_stand_once_in_a_file() -> None:
    for path in (vocabulary.FOLDER / "businesses").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        ids = re.findall(r"(?m)^# (\S+)$", text)
        topics = re.findall(r"(?m)^([a-z_0-9]+) \| ", text.partition("## topics")[2].partition("## entries")[0])
        assert [key for key in {*ids, *topics} if max(ids.count(key), topics.count(key)) > 1] == [], path.name


def test_kinds_slots_and_conditions_are_known() -> None:
    wrong = []
    for name, entry in entries():
        slots = {slot for _, group in entry.asks for slot in group}
        lines = [line for part in (entry.says, entry.offers, entry.dones) for line in part]
        conditions = {text.removeprefix("!") for text in (*(a for a, _ in entry.asks), *(b.condition for b in lines))}
        unknown = (entry.kinds - KINDS) | (slots - SLOTS) | (conditions - CONDITIONS - {""})
        if unknown or len(slots) > 3 or not entry.kinds:
            wrong.append((name, entry.id, unknown, len(slots)))
    assert wrong == []


def test_an_entry_says_something_whatever_is_known() -> None:
    wrong = []
    for name, entry in entries():
        slots = {slot for _, group in entry.asks for slot in group}
        plain = {
            part: [line for line in lines if not line.condition]
            for part, lines in (("say", entry.says), ("done", entry.dones))
        }
        if not plain["say"]:
            wrong.append(f"{name}/{entry.id}: nothing to say")
        if (slots or entry.offers) and not plain["done"] and not entry.dones and "when" not in slots:
            wrong.append(f"{name}/{entry.id}: nothing done")
        if entry.dones and not (slots or entry.offers):
            wrong.append(f"{name}/{entry.id}: done of nothing")
        if "detail" in slots and "detail" not in entry.questions:
            wrong.append(f"{name}/{entry.id}: which detail?")
    assert wrong == []


def test_placeholders_are_known_and_the_same_in_both_languages() -> None:
    def differs(_: Entry, pair: Pair) -> bool:
        places = set(PLACE.findall(pair.en))
        known = {place for place in places if place in PLACES or place in CONDITIONS}
        return places != set(PLACE.findall(pair.fr)) or places != known

    assert offenders(differs) == []


def test_what_was_never_asked_is_not_said() -> None:
    """A place for what the customer told stands only where it was asked, or in a line that is said if it is known."""
    wrong = []
    for name, entry in entries():
        asked = {slot for _, group in entry.asks for slot in group}
        for line in (*entry.says, *entry.offers, *entry.dones):
            told = set(PLACE.findall(line.text.en)) & SLOTS
            known = {line.condition} | (asked if line in entry.dones else set())
            if told - known:
                wrong.append(f"{name}/{entry.id}: {line.text.en}")
            metadata = {place for place in PLACE.findall(line.text.en) if place.startswith("meta.")}
            if metadata and line.condition not in metadata and len(metadata) == 1:
                wrong.append(f"{name}/{entry.id}: {line.text.en}")
    assert wrong == []


def test_a_working_day_just_past_is_only_told_with_a_reference() -> None:
    def made_up(entry: Entry, pair: Pair) -> bool:
        return "{past}" in pair.en and not any({"ref", "last4"} & set(group) for _, group in entry.asks)

    assert offenders(made_up) == []


def test_titles_are_short_alike_and_without_amounts_or_dates() -> None:
    titles = [(name, entry.id, entry.title) for name, entry in entries() if entry.title]
    assert [(name, entry.id) for name, entry in entries() if not entry.title] == []
    assert [each for each in titles if max(map(len, each[2])) > MAX_TITLE] == []
    assert [each for each in titles if not all(map(SENTENCE_CASE.match, each[2]))] == []
    assert [
        each for each in titles if re.search(r"\$|\d{1,2}[/-]\d|\d{4}|\d+ (?:%|h\b)", f"{each[2].en} {each[2].fr}")
    ] == []
    # "Moving An Appointment" is no sentence case; names and short forms are.
    shouted = [each for each in titles if len(re.findall(r" [A-Z][a-z]{3,}", each[2].en)) > 3]
    assert shouted == []


def test_french_has_its_typography() -> None:
    assert offenders(lambda _, pair: FRENCH_SPACE.search(PLACE.sub("x", pair.fr))) == []
    assert offenders(lambda _, pair: re.search(r"\d[ \u202f](?:\$|%|h\b)|\$\d|\d{4,} \$", pair.fr)) == []
    assert offenders(lambda _, pair: "\u00a0" in pair.en or "\u202f" in pair.en) == []


def test_no_no_break_space_is_typed_in_the_files() -> None:
    files = list(vocabulary.FOLDER.rglob("*.txt"))
    assert [path.name for path in files if re.search("[\u00a0\u202f\u200b\t]", path.read_text(encoding="utf-8"))] == []


def test_nothing_is_filler() -> None:
    assert offenders(lambda _, pair: FILLER.search(pair.en) or FILLER.search(pair.fr)) == []


def test_lines_are_short_and_clean() -> None:
    def unclean(_: Entry, pair: Pair) -> bool:
        return any(not text or len(text) > MAX_LINE or "  " in text or text != text.strip() for text in pair)

    assert offenders(unclean) == []
    assert offenders(lambda entry, pair: not _speaks(entry) and len(pair.en) > 12 and pair.en == pair.fr) == []


def test_each_language_is_itself() -> None:
    assert offenders(lambda entry, pair: not _speaks(entry) and len(pair.en) > 25 and tell(pair.en) == "fr") == []
    assert offenders(lambda entry, pair: not _speaks(entry) and len(pair.fr) > 25 and tell(pair.fr) == "en") == []


def _speaks(entry: Entry) -> bool:
    """Say whether an entry changes the language: it answers in the one that was asked for, whatever was written."""
    return entry.effect.startswith("speak_")


def test_safety_and_wordings_have_both_languages_and_the_same_places() -> None:
    pairs = [
        (heading, *(" | ".join(row[1:]) if name == "safety" else " | ".join(row)).partition(" | ")[::2])
        for name in ("safety", "wordings")
        for heading, rows in vocabulary.lines(name).items()
        for row in rows
        if name == "wordings" or row[0] in ("say", "again")
    ]
    assert len(pairs) > 100
    assert [each for each in pairs if _places(each[1]) != _places(each[2])] == []
    assert [each for each in pairs if re.search(r" [?!;]", each[2]) or FILLER.search(f"{each[1]} {each[2]}")] == []


def _places(text: str) -> set[str]:
    """Return the places of a text, without what French adds to them ("de")."""
    return {place.removeprefix("of_") for place in PLACE.findall(text)}
