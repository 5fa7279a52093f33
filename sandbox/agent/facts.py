"""What is invented about a conversation and stays the same in it: numbers, amounts, dates, names, slots.

All of it is drawn from the conversation's entropy; nothing is remembered and nothing is true of the world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final
from zlib import crc32

from sandbox.agent import answers, businesses, when
from sandbox.agent.language import Language
from sandbox.agent.text import fold
from sandbox.agent.topics import Topic
from sandbox.agent.turn import Turn

NARROW: Final = "\u202f"
NO_BREAK: Final = "\u00a0"

COLLEAGUES: Final = (
    *("Marie-Ève Gagnon", "Karim Benali", "Sophie Tremblay", "David Nguyen", "Catherine Roy", "Samuel Lavoie"),
    *("Nadia Haddad", "Julien Bergeron", "Priya Sharma", "Olivier Côté", "Emily Clarke", "Mathieu Bouchard"),
    *("Isabelle Fortin", "Marcus Joseph", "Valérie Pelletier", "Andrew Campbell", "Fatima Diallo", "Gabriel Morin"),
    *("Sarah MacDonald", "Étienne Girard", "Ana Oliveira", "Philippe Caron", "Grace Chen", "Maxime Desjardins"),
)

Slot = tuple[date, when.Time]


def money(cents: int, lang: Language) -> str:
    """Return an amount of dollars: `$1,250` or `$42.50`, `1 250 $` or `42,50 $`."""
    whole, rest = divmod(cents, 100)
    if lang == "en":
        return f"${whole:,}" + (f".{rest:02}" if rest else "")
    return f"{whole:,}".replace(",", NO_BREAK) + (f",{rest:02}" if rest else "") + f"{NO_BREAK}$"


_PLANS: Final = {
    "term_life": ("term life", "assurance vie temporaire"),
    "whole_life": ("whole life", "assurance vie entière"),
    "basic": ("the basic plan", "forfait de base"),
    "standard": ("the standard plan", "forfait standard"),
    "premium": ("the premium plan", "forfait supérieur"),
    "family": ("the family plan", "forfait familial"),
    "home": ("home insurance", "assurance habitation"),
    "auto": ("car insurance", "assurance auto"),
    "tenant": ("tenant insurance", "assurance locataire"),
    "travel": ("travel insurance", "assurance voyage"),
}


def plan(value: str, lang: Language) -> str:
    """Return a plan from the metadata as one says it; one that we don't know stays as it is, without underscores."""
    known = _PLANS.get(value.lower().replace(" ", "_").replace("-", "_"))
    return known[lang == "fr"] if known else value.replace("_", " ")


class Facts(dict[str, str]):
    """The slots of the wordings by name, each worked out when it is first needed."""

    def __init__(self, turn: Turn, lang: Language, topic: Topic | None) -> None:
        super().__init__()
        self.turn = turn
        self.lang: Language = lang
        self.topic = topic
        self.name = topic.business if topic else "general"
        self.data = businesses.of_topic(self.name, topic.id if topic else None, lang)
        self.today = when.today(turn.now)
        self._drawn: int | None = None
        self._slots: dict[int, tuple[Slot, ...]] = {}

    def __missing__(self, key: str) -> str:
        value = self._work_out(key)
        self[key] = value
        return value

    def draw(self, place: int, count: int) -> int:
        """Return a number below `count` that belongs to the conversation and this `place` (0 to 14) in it."""
        if self._drawn is None:
            self._drawn = int(self.turn.conversation.hex(60, "facts", self.name), 16)
        return (self._drawn >> (16 * place)) % count

    def slots(self, later: int = 0) -> tuple[Slot, ...]:
        """Return three openings on coming working days, others for another `later`."""
        if later not in self._slots:
            self._slots[later] = self._openings(later)
        return self._slots[later]

    def _openings(self, later: int) -> tuple[Slot, ...]:
        nearest = 1 + self.draw(0, 2) + 4 * later
        days = (nearest, nearest + 1 + self.draw(1, 2), nearest + 3)
        first, last = self.data["slots"]
        found = []
        for number, ahead in enumerate(days):
            halves = (self.draw(2, 97) + 5 * number + 3 * later) % ((last - first) * 2)
            found.append((when.weekday_after(self.today, ahead), (first + halves // 2, halves % 2 * 30)))
        return tuple(found)

    def fitting(self, wish: when.Wish) -> Slot:
        """Return the opening that meets a wish: its day or the next working one, its time or one of ours."""
        first, last = self.data["slots"]
        time = wish.time or (first + 1 + self.draw(3, last - first - 1), 30 * self.draw(4, 2))
        return (wish.day or when.weekday_after(self.today, 1), time)

    def write_slot(self, slot: Slot) -> str:
        """Return a day and time as one says it: `Tuesday, March 3 at 2:30 p.m.`, `mardi 3 mars à 14 h 30`."""
        at = " at " if self.lang == "en" else " à "
        return when.write_day(slot[0], self.lang) + at + when.write_time(slot[1], self.lang)

    def listed(self, slots: tuple[Slot, ...]) -> str:
        """Return openings as a list."""
        return "\n".join(f"- {self.write_slot(slot)}" for slot in slots)

    def _work_out(self, key: str) -> str:
        name = key.removesuffix("_start").removesuffix("_low")
        if name != key:
            text = self[name]
            return text[:1].upper() + text[1:] if key.endswith("_start") else text[:1].lower() + text[1:]
        made: Callable[[Facts], str] | None = _MADE.get(key)
        if made is not None:
            return made(self)
        found = self.data[key]
        if isinstance(found, list):
            return str(found[self.draw(5, len(found))]).format_map(self)
        return str(str(found).format_map(self))

    def _amount(self) -> str:
        return self._priced(self._level())

    def _level(self) -> float:
        low, high, step = self.data["range"]
        steps = round((high - low) / step)
        return float(low + step * (steps // 5 + self.draw(6, max(1, steps * 3 // 5))))

    def _priced(self, value: float) -> str:
        if self.data.get("unit") == "%":
            text = f"{value:.2f}"
            return f"{text}%" if self.lang == "en" else text.replace(".", ",") + f"{NO_BREAK}%"
        return money(round(value * 100), self.lang)

    def _bound(self, share: float) -> str:
        step = self.data["range"][2]
        return self._priced(round(self._level() * share / step) * step)

    def _bill(self, share: int = 1) -> str:
        low, high = self.data["bill"]
        cents = self._told_bill() or low * 100 + self.draw(7, (high - low) * 50) * 2
        return money(cents // share, self.lang)

    def _told_bill(self) -> int | None:
        """Return the amount that the person named, in this message or before."""
        said = (self.turn.message, *(said.text for said in reversed(self.turn.memory) if said.role == "user"))
        return next((cents for text in said if (cents := answers.amount(text))), None)

    def _date(self, days: int) -> str:
        return when.write_date(self.today + timedelta(days=days), self.lang)

    def _hours(self) -> list[tuple[str, str]]:
        labels = {
            "en": ("Monday to Friday", "Saturday", "Sunday"),
            "fr": ("Du lundi au vendredi", "Samedi", "Dimanche"),
        }[self.lang]
        return [(label, self._open(span)) for label, span in zip(labels, self.data["hours"], strict=True)]

    def _open(self, span: list[str] | None) -> str:
        if span is None:
            return "closed" if self.lang == "en" else "fermé"
        start, end = (when.write_time((int(text.split(":")[0]), int(text.split(":")[1])), self.lang) for text in span)
        return f"{start} to {end}" if self.lang == "en" else f"de {start} à {end}"

    def _hours_line(self) -> str:
        label, span = self._hours()[0]
        if self.lang == "en":
            return f"We answer {label}, {span}."
        return f"Nous répondons {label[:1].lower()}{label[1:]}, {span}."

    def _listed_steps(self, key: str) -> str:
        return "\n".join(f"{number}. {step.format_map(self)}" for number, step in enumerate(self.data[key], 1))


def _colon(facts: Facts) -> str:
    return ":" if facts.lang == "en" else f"{NO_BREAK}:"


def _number(facts: Facts) -> str:
    """Return the file number of the matter: each topic of a conversation has its own."""
    matter = crc32(facts.topic.id.encode()) if facts.topic else 0
    return f"{facts.data['code']}-{100_000 + (facts.draw(8, 50_000) * 17 + matter) % 900_000}"


def _call_day(facts: Facts) -> str:
    day = when.write_day(when.weekday_after(facts.today, 1), facts.lang)
    return f"on {day}" if facts.lang == "en" else f"le {day}"


def _agent(facts: Facts) -> str:
    name = facts.turn.profile.name.strip()
    return name or ("the virtual assistant" if facts.lang == "en" else "l'agent virtuel")


_MADE: Final[Mapping[str, Callable[[Facts], str]]] = {
    "about": lambda f: businesses.about(f.topic, f.lang),
    "agent": _agent,
    "amount": Facts._amount,
    "low": lambda f: f._bound(0.8),
    "high": lambda f: f._bound(1.25),
    "bill": Facts._bill,
    "half": lambda f: f._bill(2),
    "number": _number,
    "colleague": lambda f: COLLEAGUES[f.draw(9, len(COLLEAGUES))],
    "phone": lambda f: f"514-555-01{10 + f.draw(10, 90)}",
    "soon": lambda f: when.write_day(when.weekday_after(f.today, 2 + f.draw(11, 3)), f.lang),
    "past": lambda f: when.write_date(when.weekday_after(f.today, -(1 + f.draw(12, 3))), f.lang),
    "due": lambda f: f._date(9 + f.draw(13, 10)),
    "due_2": lambda f: f._date(39 + f.draw(13, 10)),
    "call_day": _call_day,
    "of_colleague": lambda f: ("d'" if fold(f["colleague"])[0] in "aeiouy" else "de ") + f["colleague"],
    "your_account": lambda f: "your account" if f.lang == "en" else "votre compte",
    "call_from": lambda f: when.write_time((9 + f.draw(14, 6), 0), f.lang),
    "call_to": lambda f: when.write_time((11 + f.draw(14, 6), 0), f.lang),
    "steps": lambda f: f._listed_steps("steps"),
    "claim_steps": lambda f: f._listed_steps("claim_steps"),
    "documents": lambda f: "\n".join(f"- {item}" for item in f.data["documents"]),
    "hours_table": lambda f: "\n".join(f"- **{label}{_colon(f)}** {span}" for label, span in f._hours()),
    "hours_line": Facts._hours_line,
}
