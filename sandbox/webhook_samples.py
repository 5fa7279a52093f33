"""Builds the data of webhooks (docs/contract.md 9.1): the news in a reply, and samples for those sent by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sandbox.reply import TRANSFER_TOOL, FunctionCall, Reply
from sandbox.rng import Entropy

News = tuple[str, Mapping[str, Any]]


class Fact(NamedTuple):
    """What may be known of a contact, in both languages."""

    key: str
    english: str
    french: str


INSIGHTS: Final = (
    Fact("preferred_time", "evenings, after 6 p.m.", "en soirée, après 18 h"),
    Fact("next_step", "wants a second quote before deciding", "veut une deuxième soumission avant de décider"),
    Fact("concern", "worried about the deductible", "s’inquiète du montant de la franchise"),
    Fact("family", "two children, the younger starts school soon", "deux enfants, le cadet entre à l’école"),
    Fact("mood", "pleased with the last claim", "contente du dernier règlement"),
)
ATTRIBUTES: Final = (
    Fact("plan_type", "term_life", "term_life"),
    Fact("city", "Montreal", "Montréal"),
    Fact("preferred_language", "en-ca", "fr-ca"),
    Fact("renewal_month", "March", "mars"),
    Fact("employment", "self-employed", "travailleuse autonome"),
)
OPPORTUNITIES: Final = (
    Fact("term_life", "asked for a quote and left a phone number", "a demandé une soumission et laissé son numéro"),
    Fact("home_insurance", "wants to switch before the renewal", "veut changer d’assureur avant le renouvellement"),
    Fact("mortgage", "booked a first meeting", "a pris un premier rendez-vous"),
)


def told(kind: str, here: Entropy, *, chat_id: str, task_name: str) -> Mapping[str, Any]:
    """Return the data of a webhook of this type, `created` left out; `chat_id` and `task_name` are the app's own."""
    if kind.startswith("chat."):
        return {"chat_id": chat_id}
    if kind.startswith("contact:"):
        contact = {"contact_id": here.uuid("contact")}
        if kind.endswith(".created"):
            return contact
        key, value = _chosen(here, INSIGHTS if ":insight." in kind else ATTRIBUTES)
        return {**contact, "key": key, "value": value}
    if kind == "task.completed":
        return _task(here, task_name, chat_id)
    plan, note = _chosen(here, OPPORTUNITIES)
    details = {"plan_type": plan, "note": note, "chat_id": chat_id}
    record = here.uuid("performance_record")
    return {"performance_record_id": record, "metric": "qualified_opportunity", "details": details}


def of_reply(reply: Reply, here: Entropy, chat_id: str) -> Iterator[News]:
    """Yield type and data of each webhook that a reply is the reason for, in the order of its output.

    A tool mapping surfaces a task (docs/contract.md 8), told as completed; a client tool runs elsewhere.
    """
    for item in reply.output:
        if not isinstance(item, FunctionCall):
            continue
        if item.name == TRANSFER_TOOL:
            yield "chat.human_required", {"chat_id": chat_id}
        elif item.arguments is not None:
            yield "task.completed", _task(here.at(item.call_id), item.name, chat_id)


def _task(here: Entropy, name: str, chat_id: str) -> Mapping[str, Any]:
    return {"task_id": here.uuid("task"), "task_name": name, "chat_id": chat_id}


def _chosen(here: Entropy, facts: tuple[Fact, ...]) -> tuple[str, str]:
    lot = here.random("fact")
    fact = lot.choice(facts)
    return fact.key, lot.choice((fact.english, fact.french))
