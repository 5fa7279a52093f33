"""Replies: laws that hold for every message, seed and language, and what is understood of a conversation."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.agent import businesses, speech, vocabulary
from sandbox.agent.directives import KNOWN
from sandbox.agent.replies import reply
from sandbox.agent.speech import acts, question_of
from sandbox.agent.topics import TOPICS
from sandbox.agent.turn import Utterance
from sandbox.reply import DataSpec, FunctionCall, Message, Pace
from tests.agent.turns import converse, profile, say, text_of, turn
from tests.support.requirements import examples

SEEDS = range(25)
WISHES = {
    "en": (
        *("I'd like a quote for {}", "How much is {}?", "I want to book {}", "I need to reschedule {}", "cancel {}"),
        *("I have a claim about {}", "I'm really disappointed with {}, nobody called me back", "What are your hours?"),
        *("Where is {}?", "I want my money back for {}", "What documents do I need for {}?", "I want to pay {}"),
        *(
            "I moved, please update {}",
            "There is a problem with {}",
            "Can I talk to a human about {}?",
            "Is {} included?",
        ),
        *("{}", "Hello", "Thanks", "Bye", "yes", "no", "Are you a robot?", "Tell me a joke", "xkcdqz", "", "👍"),
    ),
    "fr": (
        *("J'aimerais une soumission pour {}", "Combien coûte {}?", "Je veux réserver {}", "Je dois déplacer {}"),
        *("Je veux annuler {}", "J'ai une réclamation pour {}", "C'est inacceptable, personne ne m'a rappelé pour {}"),
        *("Quelles sont vos heures d'ouverture?", "Où en est {}?", "Je veux un remboursement pour {}", "Bonjour"),
        *("Quels documents faut-il pour {}?", "Je veux payer {}", "J'ai déménagé, mettez à jour {}", "Merci"),
        *("J'ai un problème avec {}", "Je veux parler à quelqu'un pour {}", "Est-ce que {} est compris?", "{}"),
        *("Au revoir", "oui", "non", "Êtes-vous un robot?", "Racontez-moi une blague", "xkcdqz", "", "👍"),
    ),
}
MATTERS = {
    "en": [businesses.about(topic, "en") for topic in (None, *TOPICS.values())],
    "fr": [businesses.about(topic, "fr") for topic in (None, *TOPICS.values())],
}

# Words that a text of the other language can't have.
_ENGLISH = "the and your you we with please is are this that when what how for from can will need here they there file"
_FRENCH = "le la les des du et est vous nous votre vos avec pour dans je une que qui ce cette mon quel dès d'ici au aux"
FOREIGN = {"en": frozenset(_FRENCH.split()), "fr": frozenset(_ENGLISH.split())}
BROKEN = re.compile(r"[{}]|(?<!\n)(?<! ) {2}(?! *[-\d])| ,| \.|\.\.(?!\.)|\bNone\b|undefined")
BROKEN_FRENCH = re.compile(
    r"\b(?:à|de) les?\b(?! (?:rap|dem))|(?<!-)\b(?:le|la|de|je|que|ne|se|me|te|jusque) [aâàeéèêiîïoôuûy]\w|\bsi il"
    r"|« (?! )|[\w!?] »|\d \$|\d %|\w :(?!\w)| [!?]|\bpar email\b|\bweekend\b|\bdîner\b",
    re.IGNORECASE,
)
PHONE = re.compile(r"\b\d{3}-\d{3}-\d{4}\b")


def texts(lang: str) -> Iterator[str]:
    """Yield first replies to wishes about all topics, each with another seed."""
    for number, matter in enumerate(MATTERS[lang]):
        for at, wish in enumerate(WISHES[lang]):
            if (at + number) % 3 == 0 or matter.endswith(("request", "demande")):
                metadata = {"language": lang, "plan_type": "premium" if number % 2 else "family", "city": "Ottawa"}
                yield say(wish.replace("{}", matter), metadata=metadata, seed=f"{number}-{at}")


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_replies_are_whole_and_in_one_language(lang: str) -> None:
    seen = set()
    for text in texts(lang):
        seen.add(text)
        assert text.strip() == text != ""
        assert not BROKEN.search(text), text
        words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", re.sub(r"[A-Z]{2}-\d+", "", text).lower())
        assert FOREIGN[lang].isdisjoint(words), (FOREIGN[lang] & set(words), text)
        assert all(number.startswith("514-555-01") for number in PHONE.findall(text)), text
        if lang == "fr":
            assert not BROKEN_FRENCH.search(text), (BROKEN_FRENCH.search(text), text)
    assert len(seen) > 1_000


def wordings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from wordings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from wordings(item)


def test_every_french_wording_is_set_as_french_is() -> None:
    for text in wordings(dict(acts("fr"))):
        assert not BROKEN_FRENCH.search(re.sub(r"[{}]", "", text)), text
    for name in (*vocabulary.businesses(), "general"):
        for text in wordings(dict(businesses.business(name, "fr"))):
            assert not BROKEN_FRENCH.search(re.sub(r"[{}]", "", text)), text


def test_both_languages_have_the_same_wordings_to_choose_from() -> None:
    assert acts("en").keys() == acts("fr").keys()
    assert acts("en")["questions"].keys() == acts("fr")["questions"].keys()
    for name in (*vocabulary.businesses(), "general"):
        assert businesses.business(name, "en").keys() == businesses.business(name, "fr").keys()


def test_every_topic_is_said_in_our_own_words() -> None:
    assert vocabulary.load("replies/topics").keys() == TOPICS.keys()


def test_every_question_of_ours_is_known_again() -> None:
    for lang in ("en", "fr"):
        for kind, questions in acts("en" if lang == "en" else "fr")["questions"].items():
            assert {question_of(f"Before. {question}") for question in questions} == {kind}
    assert question_of("Is there anybody?") is None


# The first name


@given(st.text(min_size=1, max_size=300))
@settings(max_examples=examples(200, quick=50))
def test_the_first_reply_has_the_first_name_exactly(name: str) -> None:
    for message in (
        "Hello",
        "J'ai une question",
        "",
        "[[tool]]",
        "[[markdown]]",
        "[[nope]]",
        "[[long 50]]",
        "[[form]]",
    ):
        assert name in say(message, metadata={"first_name": name})


@pytest.mark.parametrize(
    "name", ["x" * 10_000, "{name}", "%s {0} {about}", "**Zoé** <b>", "a\nb", "\u202eabc", "👩‍👩‍👧", " "]
)
def test_a_hostile_first_name_is_only_a_name(name: str) -> None:
    assert say("Hello", metadata={"first_name": name}).count(name) >= 1


@pytest.mark.parametrize("name", [None, "", 5, True, ["a"], {"a": 1}, 1.5])
def test_what_is_no_name_is_not_said(name: object) -> None:
    assert say("Hello", metadata={"first_name": name}) == say("Hello")


def test_the_name_comes_once_and_the_greeting_too() -> None:
    texts = [
        text_of(answer)
        for answer in converse(["Bonjour", "une soumission auto", "H2X 1Y4"], metadata={"first_name": "Zoé"})
    ]
    assert texts[0].count("Zoé") == 1
    assert "Zoé" not in "".join(texts[1:])
    assert not any(text.startswith("Bonjour") for text in texts[1:])


# The language


@pytest.mark.parametrize(
    ("message", "metadata", "french"),
    [
        ("Hello", {"language": "fr-ca"}, False),  # the message comes before the metadata
        ("Bonjour", {"language": "en-ca"}, True),
        ("514-555-0123", {"language": "fr-ca"}, True),  # no language in it
        ("514-555-0123", {}, False),
        ("jai besoin daide svp", {}, True),
    ],
)
def test_the_reply_is_in_the_language_of_the_message(message: str, metadata: dict[str, Any], french: bool) -> None:
    text = say(message, metadata=metadata)
    assert bool(FOREIGN["en"] & set(re.findall(r"\w+", text.lower()))) == french


def test_a_conversation_keeps_its_language() -> None:
    memory = [Utterance("user", "Je veux une soumission auto"), Utterance("assistant", "Quel est votre code postal?")]
    assert "soumission" in say("H2X 1Y4", *memory)


# Variety and repetition


def test_wordings_vary_with_the_conversation_and_repeat_with_it() -> None:
    said = {say("Hello", seed=seed) for seed in SEEDS}
    assert len(said) >= 8
    assert say("Hello", seed=3) == say("Hello", seed=3)


def test_replies_that_follow_each_other_differ() -> None:
    for seed in SEEDS:
        first, second = (text_of(answer) for answer in converse(["Tell me a joke", "Tell me a joke"], seed=seed))
        assert first.split("! ")[-1] != second.split("! ")[-1]


def test_amounts_and_numbers_stay_the_same_in_a_conversation() -> None:
    for seed in SEEDS:
        replies = converse(
            ["quote for car insurance", "H2X 1Y4", "no", "quote for car insurance", "H2X 1Y4"], seed=seed
        )
        numbers = [re.findall(r"\*\*([A-Z]{2}-\d+|\$\d+ a month)\*\*", text_of(answer)) for answer in replies]
        assert numbers[1]
        assert sorted(numbers[1]) == sorted(numbers[4])


# What is understood

Q = {kind: texts[0] for kind, texts in acts("en")["questions"].items()}
F = {kind: texts[0] for kind, texts in acts("fr")["questions"].items()}
SLOTS = "- Tuesday, March 3 at 10 a.m.\n- Wednesday, March 4 at 2:30 p.m.\n\n"
# What was asked for, our question, the answer, what the reply then has.
UNDERSTOOD = (
    ("a quote for car insurance", "Can you give me your postal code?", "h2x 1y4", "a month"),
    ("where is my order", "What is your order number?", "CM-1234", "March"),
    ("where is my order", "What is your order number?", "no, I lost it", "with"),
    ("I want a refund for my order", "What is your order number?", "55120", "business days"),
    ("call me back", Q["phone"], "514-555-0199", "514-555-0199"),
    ("call me back", Q["phone"], "no thanks", "-"),
    ("a quote for my roof", Q["offer_email"], "yes please", "email"),
    ("a quote for my roof", Q["offer_email"], "sure, jo@example.com", "**jo@example.com**"),
    ("a quote for my roof", Q["email"], "jo@example.com", "**jo@example.com**"),
    ("book the dentist", SLOTS + Q["slot"], "the second one", "Wednesday, March 4 at 2:30"),
    ("book the dentist", SLOTS + Q["slot"], "Wednesday is good", "Wednesday, March 4 at 2:30"),
    ("book the dentist", SLOTS + Q["slot"], "10 am", "Tuesday, March 3 at 10"),
    ("book the dentist", SLOTS + Q["slot"], "whichever", "Tuesday, March 3 at 10"),
    ("book the dentist", SLOTS + Q["slot"], "none of these", "your dental appointment"),
    ("book the dentist", SLOTS + Q["slot"], "Friday at 3 pm?", "**Friday, March 6 at 3\u00a0p.m.**"),
    (
        "book the dentist",
        "**Friday, March 6 at 3 p.m.** is free. " + Q["slot_yes"],
        "yes",
        "**Friday, March 6 at 3\u00a0p.m.**",
    ),
    ("cancel my service", Q["confirm_cancel"], "yes", "cancel"),
    ("my modem is broken", Q["solved"], "no, still nothing", "\n- "),
    ("pay my bill", Q["offer_split"], "ok", "April"),
    ("how much is a mobile plan", Q["offer_quote"], "yes", "postal code"),
    ("une soumission auto", F["offer_email"], "oui", "courriel"),
    ("rendez-vous chez le dentiste", "- mardi 3 mars à 10 h\n\n" + F["slot"], "le premier", "mardi 3 mars à 10"),
    ("annuler mon forfait internet", F["confirm_cancel"], "oui", "nnul"),
    ("une question", F["anything_else"], "c'est tout", "!"),
)


def test_the_answer_to_our_own_question_is_understood(subtests: pytest.Subtests) -> None:
    for before, asked, answer, expected in UNDERSTOOD:
        with subtests.test(before=before, asked=asked, answer=answer, expected=expected):
            memory = (Utterance("user", before), Utterance("assistant", asked))
            for seed in range(6):
                text = say(answer, *memory, seed=seed)
                assert expected.lower() in text.lower().replace("**", "**"), text


def test_an_earlier_topic_is_picked_up() -> None:
    texts = [text_of(answer) for answer in converse(["I have a question about my mortgage", "how much is it?"])]
    assert "mortgage" in texts[1].lower()


def test_a_passing_word_does_not_change_the_topic() -> None:
    texts = [
        text_of(answer)
        for answer in converse(["une table pour deux samedi", "y a-t-il du stationnement?", "je dois annuler"])
    ]
    assert "réservation" in texts[2]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("I want a quote for home insurance", "your home insurance"),
        ("j'aimerais une soumission pour mon auto, assurance auto", "votre assurance auto"),
        ("my internet is down", "your Internet outage"),
        ("where is my order?", "your order"),
    ],
)
def test_a_reply_is_about_its_topic(message: str, words: str) -> None:
    for seed in SEEDS:
        assert words in say(message, seed=seed)


def test_a_submitted_form_is_confirmed() -> None:
    text = say("Full name: Zoé *Roy*\nEmail: zoe@example.com\nNotes: first line\nsecond line\nEmpty:")
    assert "**Full name:** Zoé *Roy*" in text
    assert "first line second line" in text


# Special words


def test_fail_fails() -> None:
    answer = reply(turn("[[fail]] [[slow 5]] hello"))
    assert answer.failure
    assert answer.output == ()
    assert answer.pace == Pace(first_ms=5, delta_ms=100)


def test_cut_and_slow_answer_all_the_same() -> None:
    answer = reply(turn("[[cut]] [[slow]] I want a quote for car insurance"))
    assert answer.cut
    assert answer.pace == Pace(first_ms=2_000, delta_ms=100)
    assert text_of(answer) == say("I want a quote for car insurance")


@given(st.text(min_size=1))
def test_echo_says_the_rest_exactly(text: str) -> None:
    assert reply(turn(f"[[echo]] {text}", metadata={"first_name": "Zoé"})).output == (Message(text=text),)


@pytest.mark.parametrize("count", [1, 2, 7, 500, 2_000])
@pytest.mark.parametrize("hello", ["", "bonjour "])
def test_long_has_exactly_so_many_words(count: int, hello: str) -> None:
    assert len(say(f"{hello}[[long {count}]]", position=1).split()) == count
    if count > 20:
        assert len(say(f"{hello}[[long {count}]]", metadata={"first_name": "Zoé"}).split()) == count


def test_markdown_shows_every_construct() -> None:
    text = say("[[markdown]]")
    for sign in (
        "# ",
        "## ",
        "**",
        "*in",
        "***",
        "~~",
        "- [x]",
        "- [ ]",
        "| ---",
        "|:",
        "> ",
        "```json",
        "`A",
        "](https://example.com",
        "\n---\n",
        "1. ",
        "   - ",
    ):
        assert sign in text or sign == "| ---", sign
    assert "![" not in text


def test_unicode_has_what_is_hard() -> None:
    text = say("[[unicode]]")
    assert "\u200d" in text
    assert "e\u0301" in text
    assert re.search("[\u0590-\u05ff]", text)
    assert any(ord(sign) > 0xFFFF for sign in text)


def test_an_unknown_word_is_answered_with_the_known_ones() -> None:
    text = say("[[nope]]")
    assert "[[nope]]" in text
    assert all(f"[[{word}]]" in text for word in KNOWN)


def test_tool_calls_one_of_each_kind_between_texts() -> None:
    output = reply(turn("[[tool]]", agent=profile())).output
    assert [type(item) for item in output] == [Message, FunctionCall, FunctionCall, Message]
    assert reply(turn("[[tool]]")).output != output
    assert not any(isinstance(item, FunctionCall) for item in reply(turn("[[tool]]")).output)


def test_human_transfers() -> None:
    calls = [item for item in reply(turn("[[human]]")).output if isinstance(item, FunctionCall)]
    assert [call.name for call in calls] == ["transfer_to_agent"]
    assert calls[0].arguments


def test_form_needs_the_generative_ui() -> None:
    assert not any(isinstance(item, DataSpec) for item in reply(turn("[[form]]")).output)
    shown = reply(turn("[[form]]", agent=profile(generative_ui=True))).output
    assert sum(isinstance(item, DataSpec) for item in shown) > 4


def test_several_words_act_together() -> None:
    answer = reply(turn("[[slow 10]] [[tool]] [[human]] [[markdown]] [[unicode]]", agent=profile()))
    calls = [item for item in answer.output if isinstance(item, FunctionCall)]
    assert len({call.call_id for call in calls}) == len(calls) == 3
    assert answer.pace == Pace(first_ms=10, delta_ms=100)
    assert "👩‍👩‍👧‍👦" in text_of(answer)


# Hostile messages

TRAPS = (
    "a" * 1_000_000,
    "no " * 300_000,
    "a: b\n" * 200_000,
    "1" * 1_000_000,
    "a@" * 500_000,
    "(514) " * 150_000,
    "\u0301" * 900_000,
)


@pytest.mark.parametrize("message", TRAPS, ids=[trap[:6] for trap in TRAPS])
def test_a_huge_message_is_answered_fast(message: str) -> None:
    memory = (Utterance("user", message), Utterance("assistant", message + Q["details"]))
    started = time.process_time()
    assert reply(turn(message, *memory)).output
    assert time.process_time() - started < 0.5


@given(
    st.text(), st.dictionaries(st.text(max_size=12), st.none() | st.booleans() | st.integers() | st.text(), max_size=4)
)
@settings(max_examples=examples(300, quick=75))
def test_any_message_and_metadata_is_answered(message: str, metadata: dict[str, Any]) -> None:
    assert reply(turn(message, metadata=metadata, agent=profile(generative_ui=True))).output


@pytest.mark.parametrize("now", [-(10**18), 0, 10**18])
def test_any_time_will_do(now: int) -> None:
    from dataclasses import replace

    assert reply(replace(turn("book the dentist on friday"), now=now)).output


def test_nothing_is_remembered_between_replies() -> None:
    before = say("I want a quote for car insurance")
    for seed in SEEDS:
        say("Je veux annuler mon vol", seed=seed)
    assert say("I want a quote for car insurance") == before
    assert speech.question_of("") is None


def test_nonsense_after_a_question_of_the_topic_is_asked_what_it_means() -> None:
    offer, answer = converse(["Is this jacket in stock in your store?", "zzzzzz"])
    assert text_of(offer).endswith("Shall I put one aside for you?")
    assert text_of(answer).endswith("?")
