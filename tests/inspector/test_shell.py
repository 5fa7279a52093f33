"""What the server hands out as the inspector, seen without a browser: who gets it, and how it is fenced in."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from httpx2 import Client

import sandbox
from tests.conftest import MakeClient

FOLDER = Path(sandbox.__file__).parent / "inspector"
FILES = [path.relative_to(FOLDER).as_posix() for path in sorted(FOLDER.rglob("*")) if path.is_file()]
SCRIPTS = [name for name in FILES if name.endswith(".js")]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@pytest.fixture
def guarded(make_client: MakeClient) -> Client:
    """A stranger at a server whose control API asks for a token."""
    return make_client(key=None, control_token="t" * 40)


def test_a_browser_gets_the_page(guarded: Client) -> None:
    answer = guarded.get("/_sandbox/", headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["vary"].split(", ")[0] == "Accept"


def test_a_program_gets_the_index(guarded: Client) -> None:
    assert guarded.get("/_sandbox/", headers={"Accept": "*/*"}).json()["api"] == "/v1"


def test_every_file_of_the_page_is_public(guarded: Client, subtests: pytest.Subtests) -> None:
    for name in FILES:
        with subtests.test(name):
            answer = guarded.get("/_sandbox/" if name == "index.html" else f"/_sandbox/{name}", headers=BROWSER)
            assert answer.content == (FOLDER / name).read_bytes()
            assert answer.headers["content-security-policy"] == CSP
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["", "main.js", "style/base.css", "icon.svg"])
def test_a_file_that_the_browser_has_is_not_sent_again(guarded: Client, path: str) -> None:
    first = guarded.get(f"/_sandbox/{path}", headers=BROWSER)
    assert first.headers["cache-control"] == "no-cache"
    again = guarded.get(f"/_sandbox/{path}", headers={**BROWSER, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    other = guarded.get(f"/_sandbox/{path}", headers={**BROWSER, "If-None-Match": '"another version"'})
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize(
    "path", ["main.mjs", "index.html", "core", "core/", "../app.py", "core/..%2F..%2Fapp.py", "%2e%2e/app.py"]
)
def test_no_other_file_is(make_client: MakeClient, path: str) -> None:
    assert make_client(key=None).get(f"/_sandbox/{path}").status_code == 404


def test_the_shell_is_empty(guarded: Client) -> None:
    """No sentence stands in the markup, nothing runs or styles inline; the title is the product's name."""
    page = guarded.get("/_sandbox/", headers=BROWSER)
    assert page.headers["content-security-policy"] == CSP
    assert [text for text in _texts(page.text) if text.strip()] == ["Dimedove Sandbox"]
    assert not re.search(r"<style|\son\w+=|style=|<script(?! type=\"module\" src=)", page.text)


def test_docs_leads_to_the_contract(guarded: Client) -> None:
    answer = guarded.get("/docs", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/_sandbox/#/contract")


def test_the_page_reads_the_contract_without_a_trace(make_client: MakeClient) -> None:
    client = make_client()
    read, served = client.get("/_sandbox/contract.json").json(), client.get("/openapi.json").json()
    assert read == {**served, "servers": [{**served["servers"][0], "url": "/v1"}]}
    paths = [entry["path"] for entry in client.get("/_sandbox/requests").json()["data"]]
    assert paths == ["/openapi.json"]


def test_no_script_parses_html_or_runs_text() -> None:
    html = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc"
    assert _scripts_with(rf"{html}|\beval\(|new Function|EventSource\(") == []


def test_one_module_talks_to_the_server() -> None:
    assert _scripts_with(r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource\(|sendBeacon") == ["core/server.js"]


def _scripts_with(pattern: str) -> list[str]:
    return [name for name in SCRIPTS if re.search(pattern, (FOLDER / name).read_text(encoding="utf-8"))]


def test_both_languages_have_the_same_words_and_every_word_is_used() -> None:
    english, french = (_words(f"locales/{name}.js") for name in ("en", "fr"))
    assert list(english) == list(french)
    sources = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS if "locales" not in name)
    stems = [*re.findall(r"""["'`]([\w.]+?)\.?(?:\$\{|["'`])""", sources)]
    unused = [word for word in english if not any(word == stem or word.startswith(f"{stem}.") for stem in stems)]
    assert unused == []


@pytest.mark.parametrize("name", ["en", "fr"])
def test_both_languages_fill_in_the_same_values(name: str) -> None:
    english, own = _words("locales/en.js"), _words(f"locales/{name}.js")
    holes = {word: sorted(re.findall(r"\{\w+\}", text)) for word, text in english.items()}
    one = {word for word in holes if word.endswith(".one")}
    assert {word: sorted(re.findall(r"\{\w+\}", own[word])) for word in holes if word not in one} == {
        word: found for word, found in holes.items() if word not in one
    }


def _words(name: str) -> dict[str, str]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return dict(re.findall(r'^  "([\w.]+)": "(.*)",$', text, re.MULTILINE))


def _texts(markup: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

    Reader().feed(markup)
    return found
