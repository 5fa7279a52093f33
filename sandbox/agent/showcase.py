"""The texts that special words ask for: Markdown, length, Unicode, the list of the words. Reads no message."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from sandbox.agent import vocabulary
from sandbox.agent.directives import KNOWN, Directives
from sandbox.agent.language import Language
from sandbox.rng import Entropy

_A_PARAGRAPH: Final = 5


@cache
def _texts(lang: Language) -> Mapping[str, Any]:
    data: Mapping[str, Any] = vocabulary.load(f"replies/showcase_{lang}")
    if lang == "en":
        return data
    # The Unicode sample chooses its spaces itself.
    return {key: value if key == "unicode" else vocabulary.typeset(value) for key, value in data.items()}


def failure(lang: Language) -> str:
    """Return the reason of a reply that `[[fail]]` made fail."""
    return str(_texts(lang)["failure"])


def known(asked: Directives, lang: Language) -> str:
    """Return the answer to unknown special words: which ones there are."""
    texts = _texts(lang)
    strange = ", ".join(f"`{word}`" for word in asked.unknown)
    listed = "\n".join(f"- `[[{word}]]` {texts['words'][word]}" for word in KNOWN)
    return f"{texts['unknown'].replace('{words}', strange)}\n\n{listed}"


def shown(asked: Directives, lang: Language, here: Entropy, hello: str = "") -> str | None:
    """Return the text that the special words of a text ask for, begun with `hello`; None where they ask for none.

    With `[[long]]` alone the words, those of `hello` among them, are exactly as many as were asked for.
    """
    names = [word.name for word in asked.words if word.name in ("markdown", "long", "unicode")]
    if not names:
        return None
    parts = [hello] if hello else []
    for name in names:
        if name == "long":
            parts.append(_long(max(1, asked.long - len(hello.split())), lang, here))
        else:
            parts.append("\n".join(_texts(lang)[name]))
    return "\n\n".join(parts)


def _long(count: int, lang: Language, here: Entropy) -> str:
    """Return exactly `count` words of running text in paragraphs."""
    sentences: list[str] = []
    random = here.random("long")
    left = count
    while left > 0:
        pool = list(_texts(lang)["sentences"])
        random.shuffle(pool)
        for sentence in pool:
            words = sentence.split()
            sentences.append(sentence if len(words) <= left else " ".join(words[:left]).rstrip(",;:.") + ".")
            left -= len(words)
            if left <= 0:
                break
    paragraphs = (sentences[start : start + _A_PARAGRAPH] for start in range(0, len(sentences), _A_PARAGRAPH))
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)
