"""Prints one digest of many titles and demo conversations; `.ci/faker-versions` compares it between versions."""

from __future__ import annotations

import hashlib

from sandbox.agent.businesses import NAMES
from sandbox.agent.demo import conversations
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
    return told.hexdigest()


if __name__ == "__main__":
    print(digest())
