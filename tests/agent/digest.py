"""Prints one digest of many titles, demo conversations and readings.

`.ci/faker-versions` compares it between versions of Faker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sandbox.agent.businesses import NAMES, business
from sandbox.agent.demo import conversations
from sandbox.agent.index import index
from sandbox.agent.text import stems
from sandbox.agent.titles import provisional
from sandbox.rng import Entropy

NOW = 1_790_000_000


def digest() -> str:
    entropy = Entropy(1)
    told = hashlib.sha256()
    for number in range(5_000):
        told.update("\n".join(provisional(entropy.at(number), NAMES[number % len(NAMES)])).encode())
    for name in NAMES:
        for draft in conversations(entropy, now=NOW, business_name=name, conversations=20, messages=None, users=20):
            told.update(repr((draft.start, draft.user, draft.title, draft.metadata)).encode())
        told.update("\n".join(_understood(name)).encode())
    return told.hexdigest()


def _understood(name: str) -> Iterator[str]:
    """Yield how samples with a letter left out are understood: to the last bit of what they weigh."""
    for entry in business(name).entries.values():
        for text in (samples[0] for samples in entry.samples):
            for at in range(0, len(text), 15):
                words = stems(text[:at] + text[at + 1 :])
                found = index(name).find(words, None, entry.topic, booked=False)
                yield repr([(rank, likely, near.id) for rank, likely, near in found])


if __name__ == "__main__":
    print(digest())
