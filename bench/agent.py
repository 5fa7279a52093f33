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
from typing import Any

from sandbox.agent.replies import reply
from sandbox.agent.titles import title_pair
from sandbox.agent.tools import default_tools
from sandbox.agent.turn import Profile, Turn, Utterance
from sandbox.rng import Entropy

CALLS = 3_000

_ROOT = Entropy(1).at("app_bench")
_PROFILE = Profile(name="Camille", tools=default_tools(), generative_ui=True)
_METADATA = {"first_name": "John", "plan_type": "term_life"}
_MEMORY = [
    Utterance("user", "Hello! Can I change my plan before the next renewal?"),
    Utterance("assistant", "Hi John! Yes, you can change it at any time before it renews. Shall I show you how?"),
    Utterance("user", "Yes please."),
    Utterance("assistant", "Here is how: open your policy, choose the new plan, confirm it. Anything else?"),
]
_LONG = "My policy was cancelled by mistake and I need a confirmation in writing for my bank. " * 40

Case = Callable[[int], object]


def _title(*, metadata: Mapping[str, Any] | None = None, custom: str | None = None, message: str | None = None) -> Case:
    def call(number: int) -> object:
        here = _ROOT.at("conversation", number)
        texts = [text and f"{text} {_word(number)}" for text in (custom, message)]
        return title_pair(here, metadata=metadata or {}, custom_title=texts[0], message=texts[1])

    return call


def _word(number: int) -> str:
    """Return a word that tells nothing, another for each number."""
    return "Ka" + "".join("bdgklmnprt"[int(digit)] + "o" for digit in str(number))


def _reply(message: str, *, memory: list[Utterance] | None = None) -> Case:
    def call(number: int) -> object:
        return reply(
            Turn(
                profile=_PROFILE,
                conversation=_ROOT.at("conversation", number),
                position=len(memory or ()) // 2,
                now=1_790_000_000,
                message=f"{message} {_word(number)}",
                metadata=_METADATA,
                memory=memory or [],
            )
        )

    return call


CASES: Mapping[str, Case] = {
    "title pair of nothing": _title(),
    "title pair of metadata": _title(metadata=_METADATA),
    "title pair of a custom title": _title(metadata=_METADATA, custom="Support inquiry"),
    "title pair of a message": _title(metadata=_METADATA, message="Can I change my plan before the next renewal?"),
    "title pair of a message of 3,400 characters": _title(metadata=_METADATA, message=_LONG),
    "first reply, English": _reply("Hello! Can I change my plan before the next renewal?"),
    "first reply, French": _reply("Bonjour, je voudrais savoir quand ma commande va arriver."),
    "third reply, with memory": _reply("And what will it cost me?", memory=_MEMORY),
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
