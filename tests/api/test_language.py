"""The language of a conversation: kept through names, addresses and single words, changed by a sentence."""

from __future__ import annotations

import re

import pytest

from tests.support.api import Api, texts

OPENINGS = {
    "en": "Hello, I have a question about my bill this month",
    "fr": "Bonjour, j'ai une question sur ma facture",
}
_ENGLISH = "the and your you we with is are this that when what how for can will i'm to do glad welcome pleasure could"
_FRENCH = "le la les des du de est vous nous votre vos avec pour dans je une que qui ce cette au rien d'avoir plaisir"
WORDS = {"en": frozenset(_ENGLISH.split()), "fr": frozenset(_FRENCH.split())}
# What people send in the middle of a conversation that is the same in both languages, or is one word of the other.
KEEPING = {
    "en": [
        *("billing@acme.ca", "Send it to billing@acme.ca", "https://acme.ca/fr/vos-factures/du-mois", "www.acme.ca/le"),
        *("acme.ca", "F-LE-20331", "Montréal", "Lavoie", "Hélène Côté", "Côte-des-Neiges", "merci", "Bonjour!", "oui"),
        *("12 rue de la Montagne, Montréal", "@les_amis_du_quartier", "L'Île-des-Sœurs", "Québec", "514-555-0133"),
    ],
    "fr": [
        *("support@acme.com", "Écrivez à support@acme.com", "https://acme.com/where-is/my-order", "help.acme.com/the"),
        *("acme.com", "THE-4471", "Ottawa", "Kingston", "OK", "ok", "John Smith", "McDonald's", "thanks", "Hello!"),
        *("45 King Street West, Toronto", "@the_right_people", "Sainte-Anne-de-Bellevue", "cool", "yes"),
    ],
}
# Sentences of the other language, in chat spelling too.
CHANGING = {
    "en": [
        "Je veux annuler mon rendez-vous",
        "chu tanné d'attendre",
        "cest tu ouvert dimanche",
        "oui merci",
        "jai pas recu mon colis",
        "ca coute combien?",
    ],
    "fr": [
        "Where is my order?",
        "Thank you, goodbye",
        "i need help asap",
        "can u check if my package shipped",
        "yes please",
    ],
}


def language_of(api: Api, conversation: str, message: str) -> str:
    """Send a message and return the language of its answer."""
    text = texts(api.send(conversation, message).json()).lower().replace(message.lower(), "")
    said = re.findall(r"[\w']+", text)
    counts = {language: sum(word in words for word in said) for language, words in WORDS.items()}
    counts["fr"] += len(re.findall(r"[éèêàç]|\b[dljq]u?'", text))
    return max(counts, key=lambda language: counts[language])


@pytest.mark.parametrize(("language", "other"), [("en", "fr"), ("fr", "en")])
def test_what_has_no_language_changes_none(api: Api, language: str, other: str) -> None:
    told = {}
    for message in KEEPING[language]:
        one = api.created()
        told[message] = [language_of(api, one, text) for text in (OPENINGS[language], message, "514-555-0123", message)]
    assert {message: lost for message, lost in told.items() if other in lost} == {}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_all_of_it_in_one_conversation_leaves_the_language(api: Api, language: str) -> None:
    one = api.created()
    language_of(api, one, OPENINGS[language])
    assert {language_of(api, one, message) for message in KEEPING[language]} == {language}


@pytest.mark.parametrize(("language", "other"), [("en", "fr"), ("fr", "en")])
def test_a_sentence_changes_it_for_what_follows(api: Api, language: str, other: str) -> None:
    told = {}
    for message in CHANGING[language]:
        one = api.created()
        told[message] = [language_of(api, one, text) for text in (OPENINGS[language], message, "514-555-0123")]
    assert told == {message: [language, other, other] for message in CHANGING[language]}


@pytest.mark.parametrize(
    ("metadata", "language"), [({"language": "fr-ca"}, "fr"), ({"locale": "en"}, "en"), ({}, "en")]
)
def test_where_nobody_has_spoken_the_metadata_says_it(api: Api, metadata: dict[str, str], language: str) -> None:
    for message in ("billing@acme.ca", "Montréal", "Ottawa", "acme.com", "Lavoie", "42"):
        assert language_of(api, api.created(metadata=metadata), message) == language
