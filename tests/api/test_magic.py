"""Apps and words that always behave the same way (10.2, 10.3). The keys are in `tests/server/test_errors.py`."""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings

from sandbox import SettingsError
from tests.api.conftest import MakeApi
from tests.conftest import MakeClient
from tests.support import strategies
from tests.support.api import Api, texts
from tests.support.errors import assert_error
from tests.support.in_process import AsgiClient, in_process
from tests.support.requirements import examples
from tests.support.sse import read

# Apps: the app, status and type of what it always answers.
APPS = [
    ("app_missing", 404, "not_found"),
    ("app_inactive", 403, "app_inactive"),
    ("app_no_agent", 403, "agent_unavailable"),
    ("app_error", 500, "internal_error"),
]


@pytest.mark.clause("10.2")
def test_a_magic_app_answers_so_whatever_the_server_is_set_to(
    make_client: MakeClient, subtests: pytest.Subtests
) -> None:
    rows: list[dict[str, Any]] = [{"strict_apps": True}, {"like_production": True}, {"seed": 7}]
    for (app, status, kind), setting in product(APPS, rows):
        with subtests.test(app=app, status=status, kind=kind, setting=setting):
            assert_error(Api(make_client(**setting), app).config(), status, kind)


@pytest.mark.clause("10.2")
@pytest.mark.parametrize("app", [app for app, _, _ in APPS])
def test_a_magic_app_cannot_be_set(make_client: MakeClient, app: str) -> None:
    with pytest.raises(SettingsError, match=app):
        make_client(apps={app: {"stream": True}})


# Words


@pytest.mark.clause("10.3")
@pytest.mark.parametrize("word", ["[[fail]]", "[[FAIL]]", "[[Fail]]", "please [[fail]] now", "[[fail]] [[tool]]"])
@pytest.mark.parametrize("stream", [False, True])
def test_fail(api: Api, word: str, stream: bool) -> None:
    answer, completion = api.send(api.created(), word, stream=stream), api.complete(word, stream=stream)

    if stream:
        assert read(answer.events).status == read(completion.events, completion=True).status == "failed"
    else:
        assert answer.json()["status"] == completion.json()["status"] == "failed"


# The word, seconds before anything comes.
SLOWNESS = [("[[slow]]", 2.0), ("[[slow 3000]]", 3.0), ("[[SLOW 5000]]", 5.0)]


@pytest.mark.memory
@pytest.mark.clause("10.3")
@pytest.mark.parametrize(("word", "seconds"), SLOWNESS)
@pytest.mark.parametrize("stream", [False, True])
def test_slow(asgi: AsgiClient, api: Api, word: str, seconds: float, stream: bool) -> None:
    """The loop does not really wait; what is read off is for how long it was asked to."""
    conversation = api.created()

    answer = api.send(conversation, f"{word} [[echo]] {'word ' * 40}", stream=stream)

    deltas = sum(event.name.endswith("text.delta") for event in answer.events) if stream else 0
    assert deltas == (40 if stream else 0)
    assert seconds - 1 < asgi.waits[0] <= seconds
    assert len(asgi.waits) >= 1 + deltas
    # By schedule, not one after the other: on a clock that stands still the last wait is the longest.
    assert seconds - 1 + 0.1 * deltas < max(asgi.waits) <= seconds + 0.1 * deltas + 0.001


@pytest.mark.clause("10.3")
def test_slow_changes_nothing_that_is_said() -> None:
    with in_process() as one, in_process() as two:
        slow, quick = Api(one), Api(two)
        conversation = slow.created()
        quick.created()

        assert texts(slow.send(conversation, "[[slow]] Where is my order?").json()) == texts(
            quick.send(conversation, "Where is my order?").json()
        )


@pytest.mark.clause("10.3", "6.4")
@pytest.mark.parametrize("message", ["[[form]]", "[[form]] s'il vous plaît, je veux un formulaire"])
def test_form_where_the_app_shows_none(api: Api, message: str) -> None:
    response = api.send(api.created(), message).json()

    assert {item["type"] for item in response["output"]} == {"message"}
    assert "form" in texts(response).lower()


@pytest.mark.clause("10.3")
@pytest.mark.parametrize("word", ["[[human]]", "[[Human]] now"])
def test_human(api: Api, word: str) -> None:
    output = api.send(api.created(), word).json()["output"]

    assert [item["name"] for item in output if item["type"] == "function_call"] == ["transfer_to_agent"]


@pytest.mark.clause("10.3")
@given(rest=strategies.plain_texts)
@settings(max_examples=examples(60, quick=15))
def test_echo(shared: AsgiClient, rest: str) -> None:
    api = Api(shared, "app_of_echoes")
    conversation = api.created(metadata={"first_name": "Zénaïde"})

    response = api.send(conversation, "[[echo]] " + rest).json()

    assert [item["content"] for item in response["output"]] == [[{"type": "text", "text": rest}]]
    assert api.complete("[[echo]] " + rest).json()["text"] == rest


# A message with [[echo]], what must come back.
ECHOES = [
    ("[[echo]]", "", "nothing follows"),
    ("[[echo]]no space", "no space", "the space may be missing"),
    ("[[echo]]  two", " two", "only one space is dropped"),
    ("[[echo]]\nline", "\nline", "a line end is no space"),
    ("[[Echo]] Hi", "Hi", "any case"),
    ("[[echo]] end  ", "end  ", "spaces at the end stay"),
    ("[[slow 1]] [[echo]] Hi", "Hi", "together with another word"),
]


@pytest.mark.clause("10.3")
@pytest.mark.parametrize(("message", "text"), [row[:2] for row in ECHOES], ids=[row[2] for row in ECHOES])
def test_echo_exactly(api: Api, message: str, text: str) -> None:
    assert texts(api.send(api.created(), message).json()) == text


MARKDOWN = {
    "headings": r"^## \S",
    "bold": r"\*\*\S[^*]*\*\*",
    "italics": r"(?<!\*)\*[^*\s][^*]*\*(?!\*)|(?<!\w)_[^_\s][^_]*_",
    "strikethrough": r"~~\S[^~]*~~",
    "a list": r"^[-*] \S",
    "a nested list": r"^ {2,4}[-*] \S",
    "a numbered list": r"^1\. \S",
    "a task list": r"^[-*] \[[ x]\] \S",
    "a quote": r"^> \S",
    "code": r"(?<!`)`[^`\n]+`(?!`)",
    "a block of code": r"^```\w*\n[\s\S]+?\n```$",
    "a table": r"^\|.*\|\n\|[ :|-]+\|\n\|.*\|",
    "a link": r"(?<!!)\[[^\]]+\]\([^)]+\)",
    "a rule": r"^(---|\*\*\*|___)$",
}


@pytest.mark.clause("10.3")
@pytest.mark.parametrize("construct", MARKDOWN)
def test_markdown(api: Api, construct: str) -> None:
    said = texts(api.send(api.created(), "[[markdown]]").json())

    assert re.search(MARKDOWN[construct], said, re.MULTILINE), said


@pytest.mark.clause("10.3")
@pytest.mark.parametrize(("word", "count"), [("[[long]]", 2_000), ("[[long 500]]", 500), ("[[Long 1]]", 1)])
def test_long(api: Api, word: str, count: int) -> None:
    assert len(texts(api.send(api.created(), word).json()).split()) == count
    assert len(api.complete(word).json()["text"].split()) == count


@pytest.mark.clause("10.3")
def test_unicode(api: Api) -> None:
    said = texts(api.send(api.created(), "[[unicode]]").json())

    assert re.search("[\U0001f300-\U0001faff]\ufe0f?\u200d", said), "an emoji with a joiner"
    assert any(unicodedata.combining(character) for character in said), "a combining mark"
    assert any(unicodedata.bidirectional(character) in ("R", "AL") for character in said), "right-to-left text"
    assert any(unicodedata.category(c).startswith("L") and ord(c) > 0xFFFF for c in said), "an astral letter"


KNOWN = ["fail", "slow", "cut", "tool", "form", "human", "echo", "markdown", "long", "unicode"]


@pytest.mark.clause("10.3")
@pytest.mark.parametrize("message", ["[[nonsense]]", "[[tools]]", "Bonjour [[formulaire]], merci", "[[fail]] [[huh]]"])
def test_an_unknown_word_is_answered_with_the_known_ones(api: Api, message: str) -> None:
    response = api.send(api.created(), message).json()

    if "[[fail]]" in message:
        assert response["status"] == "failed"
    else:
        assert all(f"[[{word}]]" in texts(response) for word in KNOWN)


@pytest.mark.clause("10.3")
def test_several_words_together(make_api: MakeApi) -> None:
    api = make_api(generative_ui=True)

    response = api.send(api.created(), "[[unicode]] [[LONG 3]] [[tool]] [[Human]] [[form]]").json()

    kinds = [item["type"] for item in response["output"]]
    assert kinds.count("function_call") == 3
    assert "data_spec" in kinds
    assert "\u200d" in texts(response)
