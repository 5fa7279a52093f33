"""Prints one digest of many titles and demo conversations; `.ci/faker-versions` compares it between versions."""

from __future__ import annotations

import hashlib

from sandbox.agent.demo import conversations
from sandbox.agent.persona import persona
from sandbox.agent.titles import title_pair
from sandbox.agent.tools import default_tools
from sandbox.agent.turn import Profile
from sandbox.rng import Entropy

NOW = 1_790_000_000


def digest() -> str:
    entropy = Entropy(1)
    told = hashlib.sha256()
    for number in range(5_000):
        pair = title_pair(entropy.at(number), metadata={}, custom_title=None, message=None)
        told.update("\n".join(pair).encode())
    profile = Profile(name=persona(entropy).name, tools=default_tools(), generative_ui=True)
    for draft in conversations(entropy, now=NOW, profile=profile, conversations=200, messages=None, users=20):
        told.update(repr(draft).encode())
    return told.hexdigest()


if __name__ == "__main__":
    print(digest())
