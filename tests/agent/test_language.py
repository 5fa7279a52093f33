"""Language detection on messages as people type them: accents missing, languages mixed, one word only."""

from __future__ import annotations

import time
from itertools import product

import pytest

from sandbox.agent.text import detect, of_message, of_metadata
from sandbox.agent.turn import Language

MOST_WRONG = 3

# Each row: the message and its language. Where a message has none, the fallback decides (see below).
MESSAGES: tuple[tuple[str, Language], ...] = (
    # Plain English
    ("Hi, I'd like a quote for home insurance", "en"),
    ("What are your opening hours on weekends?", "en"),
    ("Can I reschedule my appointment to next Tuesday?", "en"),
    ("where is my order", "en"),
    ("I was charged twice this month", "en"),
    ("My water heater is leaking!!", "en"),
    ("i need to cancel my subscription asap", "en"),
    ("Do you take walk-ins?", "en"),
    ("Is parking available?", "en"),
    ("how much for a cleaning", "en"),
    ("Thanks so much, you've been great", "en"),
    ("nope that's all", "en"),
    ("ok sounds good", "en"),
    ("The 14th works for me", "en"),
    ("My policy number is 4471-202", "en"),
    ("I moved last week, new address is 4512 rue Saint-Denis, Montréal", "en"),
    ("Good morning! Looking for a family dentist in Laval", "en"),
    ("We had a small fire in the kitchen yesterday", "en"),
    ("Could you resend the receipt to jean.tremblay@example.com?", "en"),
    ("does the plan include roaming in the US?", "en"),
    ("your website keeps crashing when I try to pay", "en"),
    ("I want to talk to a real person", "en"),
    ("this is ridiculous, third time I call", "en"),
    ("table for four on friday at 7pm please", "en"),
    ("is the 3 bedroom on Côte-des-Neiges still available?", "en"),
    ("Are there any spots left for the fall semester?", "en"),
    ("what documents do i need for a mortgage pre-approval", "en"),
    ("lost my card", "en"),
    ("someone hit my car in the parking lot at Costco", "en"),
    ("hey", "en"),
    ("hello there", "en"),
    ("thank you", "en"),
    ("yes please", "en"),
    ("no thanks", "en"),
    ("see you later", "en"),
    ("goodbye and merci", "en"),
    ("pls hurry", "en"),
    ("refund?", "en"),
    ("wifi is down again", "en"),
    ("internet slow since monday", "en"),
    ("can u check if my package shipped", "en"),
    ("dont work", "en"),
    ("idk, whatever you recommend", "en"),
    ("I'm looking to sell my duplex in Rosemont", "en"),
    ("We're two adults and one child, leaving March 3rd from Québec City", "en"),
    ("Is the crème brûlée gluten free?", "en"),
    ("What's the weather like today?", "en"),
    ("Tell me a joke", "en"),
    ("My son has a fever of 39, can he be seen today?", "en"),
    ("I'm calling about invoice F-20331", "en"),
    ("It's for my father-in-law, he doesn't speak French", "en"),
    ("What does the deductible mean?", "en"),
    ("Name: John Smith\nEmail: john@example.com\nPreferred day: Tuesday", "en"),
    ("Full name: Marie Gagnon\nPhone: 514-555-0133", "en"),
    # Plain French
    ("Bonjour, j'aimerais une soumission pour mon assurance habitation", "fr"),
    ("Quelles sont vos heures d'ouverture la fin de semaine?", "fr"),
    ("Est-ce que je peux déplacer mon rendez-vous à mardi prochain?", "fr"),
    ("Où est ma commande?", "fr"),
    ("On m'a facturé deux fois ce mois-ci", "fr"),
    ("Mon chauffe-eau coule!!", "fr"),
    ("Je veux annuler mon abonnement au plus vite", "fr"),
    ("Prenez-vous des patients sans rendez-vous?", "fr"),
    ("Y a-t-il du stationnement?", "fr"),
    ("C'est combien pour un nettoyage", "fr"),
    ("Merci beaucoup, vous m'avez bien aidée", "fr"),
    ("non c'est tout", "fr"),
    ("parfait merci", "fr"),
    ("Le 14 me convient", "fr"),
    ("Mon numéro de police est le 4471-202", "fr"),
    ("J'ai déménagé la semaine passée au 4512, rue Saint-Denis", "fr"),
    ("Bon matin! Je cherche un dentiste de famille à Laval", "fr"),
    ("Nous avons eu un petit feu dans la cuisine hier", "fr"),
    ("Pouvez-vous renvoyer le reçu à john.smith@example.com?", "fr"),
    ("le forfait inclut-il l'itinérance aux États-Unis?", "fr"),
    ("votre site plante quand j'essaie de payer", "fr"),
    ("Je veux parler à une vraie personne", "fr"),
    ("C'est inacceptable, ça fait trois fois que j'appelle", "fr"),
    ("une table pour quatre vendredi à 19 h svp", "fr"),
    ("le 4 et demi sur Côte-des-Neiges est-il encore libre?", "fr"),
    ("Reste-t-il des places pour la session d'automne?", "fr"),
    ("quels documents faut-il pour une préapprobation hypothécaire", "fr"),
    ("J'ai perdu ma carte", "fr"),
    ("quelqu'un a accroché mon auto dans le stationnement du Costco", "fr"),
    ("allô", "fr"),
    ("bonsoir", "fr"),
    ("merci", "fr"),
    ("oui svp", "fr"),
    ("non merci", "fr"),
    ("au revoir", "fr"),
    ("bonne journée!", "fr"),
    ("remboursement?", "fr"),
    ("Je vends mon duplex dans Rosemont", "fr"),
    ("Nous sommes deux adultes et un enfant, départ le 3 mars de Québec", "fr"),
    ("La crème brûlée est-elle sans gluten?", "fr"),
    ("Quel temps fait-il aujourd'hui?", "fr"),
    ("Racontez-moi une blague", "fr"),
    ("Mon fils fait 39 de fièvre, peut-il être vu aujourd'hui?", "fr"),
    ("J'appelle au sujet de la facture F-20331", "fr"),
    ("Qu'est-ce que la franchise veut dire?", "fr"),
    ("Nom : Marie Gagnon\nCourriel : marie@example.com\nJour souhaité : mardi", "fr"),
    ("Nom complet : Luc Côté\nTéléphone : 514-555-0133", "fr"),
    # French without accents, chat spelling, joual
    ("bonjour jaimerais savoir cest quoi le prix", "fr"),
    ("jai pas recu mon colis", "fr"),
    ("cest tu ouvert dimanche", "fr"),
    ("ca marche pas votre affaire", "fr"),
    ("je peux tu payer en deux fois", "fr"),
    ("kossé que je fais avec ma facture", "fr"),
    ("allo chu tanné dattendre", "fr"),
    ("faque jveux annuler", "fr"),
    ("combien ca coute", "fr"),
    ("est ce que vous etes ouvert demain", "fr"),
    ("mon internet est lent depuis lundi", "fr"),
    ("le wifi est encore tombe", "fr"),
    ("y fait tu beau a montreal", "fr"),
    ("jai besoin dun rdv pour ma fille", "fr"),
    ("pouvez vous me rappeler au 514-555-0123", "fr"),
    ("non laisse faire", "fr"),
    ("ouin ok daccord", "fr"),
    ("vous etes ou exactement", "fr"),
    ("mon char a ete vole hier soir", "fr"),
    ("la toilette deborde", "fr"),
    ("ok pour mardi", "fr"),
    ("ben la, ca pas de bon sens", "fr"),
    ("svp rappelez moi", "fr"),
    ("ecole pour mon gars de 5 ans", "fr"),
    # Code-switched: the language of the grammar wins
    ("Peux-tu me donner un quote pour mon truck?", "fr"),
    ("Je veux canceller mon booking pour le weekend", "fr"),
    ("C'est quoi le deal avec mon bill de téléphone?", "fr"),
    ("Hi, est-ce que je peux avoir un refund?", "fr"),
    ("Mon flight est delayed, je fais quoi?", "fr"),
    ("Le router est down, ça flash rouge", "fr"),
    ("I have a rendez-vous tomorrow but I need to change it", "en"),
    ("Can you send me the relevé for my dépanneur account?", "en"),
    ("Bonjour! Do you have someone who speaks English?", "en"),
    ("Hello, my garderie said you handle the subvention forms", "en"),
    ("I live near the métro, is the CLSC closer?", "en"),
    ("Merci! One more question: how long does it take?", "en"),
    ("Sorry my French is bad, je cherche a quote for my condo", "en"),
    ("OK thanks, à demain", "en"),
    # Longer ones
    (
        "Hello, I bought a dishwasher from you two weeks ago and it stopped draining. I tried the reset from the "
        "manual, no luck. What are my options under the warranty?",
        "en",
    ),
    (
        "Bonjour, j'ai acheté un lave-vaisselle chez vous il y a deux semaines et il ne se vide plus. J'ai essayé la "
        "réinitialisation du manuel, sans succès. Quelles sont mes options avec la garantie?",
        "fr",
    ),
    ("salut! mon proprio veut pas reparer la fournaise pis y fait frette, vous pouvez tu venir voir", "fr"),
    ("Our landlord won't fix the furnace and it's freezing, could you come take a look", "en"),
    ("Ma conjointe et moi voulons magasiner notre hypothèque, le renouvellement est en juin", "fr"),
    ("My wife and I want to shop around for our mortgage, renewal is in June", "en"),
    ("Suis-je couvert si mon sous-sol est inondé?", "fr"),
    ("Am I covered if my basement floods?", "en"),
    ("URGENT!!! DÉGÂT D'EAU", "fr"),
    ("URGENT!!! WATER EVERYWHERE", "en"),
    ("prix?", "fr"),
    ("price?", "en"),
    ("Qui êtes-vous?", "fr"),
    ("Who are you?", "en"),
)

WITHOUT_A_LANGUAGE = (
    *("", "   ", "514-555-0123", "ok", "H2X 1Y4", "a@example.com", "👍", "???", "2026-03-03", "\x00", "日本語"),
    "Tremblay",
)


def test_the_table_is_large_enough() -> None:
    assert len(MESSAGES) >= 150
    assert len(dict(MESSAGES)) == len(MESSAGES)


def test_at_most_three_messages_are_misread() -> None:
    wrong = [
        (text, expected) for text, expected in MESSAGES if detect(text, "fr" if expected == "en" else "en") != expected
    ]
    assert len(wrong) <= MOST_WRONG, wrong


def test_a_message_without_a_language_takes_the_fallback(subtests: pytest.Subtests) -> None:
    languages: tuple[Language, ...] = ("en", "fr")
    for text, fallback in product(WITHOUT_A_LANGUAGE, languages):
        with subtests.test(text=text, fallback=fallback):
            assert detect(text, fallback) == fallback


def test_a_conversation_keeps_its_language_until_a_message_is_sure_of_another() -> None:
    assert of_message("514-555-0123", "fr", {"language": "en"}) == ("fr", False)
    assert of_message("ok merci", "en", {})[0] == "en"  # one word alone
    assert of_message("Parlez-vous français? J'ai une question", "en", {}) == ("fr", True)
    assert of_message("42", "", {"language": "fr-ca"}) == ("fr", False)
    assert of_message("", "", {}) == ("en", False)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"language": "fr-CA"}, "fr"),
        ({"language": "English"}, "en"),
        ({"locale": "fr_CA"}, "fr"),
        ({"language": 5}, "en"),
        ({}, "en"),
    ],
)
def test_metadata_names_a_language(metadata: dict[str, object], expected: Language) -> None:
    assert of_metadata(metadata) == expected


@pytest.mark.parametrize("unit", ["a", "é", "l'", "'", " le", "\u0301", "[[", "👩‍👩‍👧"])
def test_a_huge_message_costs_no_more_than_its_beginning(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.perf_counter()
    detect(text, "en")
    assert time.perf_counter() - started < 0.05
