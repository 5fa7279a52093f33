"""`python -m bench.agent`: the cost of the agent without a server, per title pair and reply, in microseconds.

Each case is called many times in this process, every time for another conversation and with another text; the median
counts, since the machine is rarely alone. The first call, which loads what the case needs of the vocabulary, stands
by itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from statistics import median, quantiles

from sandbox.agent import titles
from sandbox.agent.dialogue import reply
from sandbox.agent.items import default_tools
from sandbox.agent.turn import Ledger, Profile, Turn
from sandbox.rng import Entropy

CALLS = 3_000

_ROOT = Entropy(1).at("app_bench")
_BUSINESS = "insurance"
_PROFILE = Profile(name="Camille", business=_BUSINESS, tools=default_tools(), generative_ui=True)
_METADATA = {"first_name": "John", "plan_type": "term_life"}
_LEDGER = Ledger(lang="en", topic="life", told={"ref": "TL-774120"}, said=["renewal_when", "change_plan"]).to_json()
_LONG = "My policy was cancelled by mistake and I need a confirmation in writing for my bank. " * 40

Case = Callable[[int], object]


def _born(number: int) -> object:
    return titles.provisional(_ROOT.at("conversation", number), _BUSINESS)


def _told(number: int) -> object:
    return titles.of_topic(_BUSINESS, {**_METADATA, "note": _word(number)}, None)


def _title(message: str) -> Case:
    def call(number: int) -> object:
        return titles.of_exchange(_BUSINESS, message=f"{message} {_word(number)}", metadata={}, title=None)

    return call


def _word(number: int) -> str:
    """Return a word that tells nothing, another for each number."""
    return "Ka" + "".join("bdgklmnprt"[int(digit)] + "o" for digit in str(number))


def _reply(message: str, *, ledger: bytes | None = None) -> Case:
    def call(number: int) -> object:
        return reply(
            Turn(
                profile=_PROFILE,
                conversation=_ROOT.at("conversation", number),
                position=2 if ledger else 0,
                answered=ledger is not None,
                ledger=ledger,
                now=1_790_000_000,
                message=f"{message} {_word(number)}",
                metadata=_METADATA,
            )
        )

    return call


CASES: Mapping[str, Case] = {
    "title pair of nothing": _born,
    "title pair of metadata": _told,
    "title pair of a message": _title("Can I change my plan before the next renewal?"),
    "title pair of a message of 3,400 characters": _title(_LONG),
    "first reply, English": _reply("Hello! Can I change my plan before the next renewal?"),
    "first reply, French": _reply("Bonjour, je voudrais savoir quand ma commande va arriver."),
    "third reply, with a ledger": _reply("And what will it cost me?", ledger=_LEDGER),
    "reply to 3,400 characters": _reply(_LONG),
    "reply with tools": _reply("[[tool]] What is the status of my claim?"),
    "reply with a form": _reply("[[form]]"),
    "reply to an echo of 46 words": _reply("[[echo]] " + " ".join(["insurance"] * 46)),
}


def main() -> int:
    """Print a line a case."""
    print(f"{'':46}{'median µs':>10}{'p95':>8}{'first':>10}")
    for name, case in CASES.items():
        first = _timed(case, 0)
        times = [_timed(case, number) for number in range(1, CALLS)]
        print(f"{name:46}{median(times):10.1f}{quantiles(times, n=20)[18]:8.1f}{first:10.0f}")
    return 0


def _timed(case: Case, number: int) -> float:
    start = time.perf_counter_ns()
    case(number)
    return (time.perf_counter_ns() - start) / 1_000


if __name__ == "__main__":
    sys.exit(main())
