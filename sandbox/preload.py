"""Loads what the first answer does not need, so that a server which has started opens no file of ours to answer.

Where clients have taken all file descriptors, a module or a word list that is loaded on first use can't be.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from sandbox.contract import Contract, decode

_PACKAGES = (
    "sandbox.contract",
    "sandbox.apps",
    "sandbox.webhooks",
    "sandbox.persistence",
    "sandbox.server",
    "sandbox.api",
    "sandbox.control",
    "sandbox.agent",
)
# What these import inside their functions: Python's own libraries do so too.
_LIBRARIES = (
    "_strptime",
    "concurrent.futures.thread",
    "encodings.utf_16_be",
    "faker.providers.person.en_US",
    "faker.providers.person.fr_CA",
    "regex",
    "zipfile",
    "sandbox.control_api",
)


def preload(control: Contract) -> None:
    """Load all modules that answer, the words of the agent, the control API's contract, what explains faults.

    Raises:
        OSError, ImportError: something can't be loaded; it is tried again when it is needed.
    """
    for name in _PACKAGES:
        package = import_module(name)
        for module in walk_packages(package.__path__, name + "."):
            import_module(module.name)
    for name in _LIBRARIES:
        import_module(name)
    _load_words()
    # The first error that is explained loads the schemas of JSON Schema itself.
    control.schema("Fault").violations(decode(b"0"))


def _load_words() -> None:
    from sandbox.agent import businesses, demo, index, text, titles, understanding, vocabulary

    for name in businesses.NAMES:
        index.index(name)
    titles.preload()
    understanding.distress("")
    text.tell("Bonjour")
    text.kind_of("")
    index.spelt()
    demo.preload()
    for name in ("completions", "forms", "showcase_en", "showcase_fr", "tools"):
        vocabulary.load(name)
    for name in ("customers", "people", "titles/common", "trades", "wordings", "words"):
        vocabulary.lines(name)
