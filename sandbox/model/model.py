"""Has texts written by a model, from a cassette where it has them: bounded, and never an exception for who waits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from sandbox.hosts import AllowedHosts, is_loopback
from sandbox.long_work import in_thread
from sandbox.model.cassette import Cassette, CassetteError, prompt_key
from sandbox.model.client import ChatClient, ModelError
from sandbox.options import SettingsError
from sandbox.outbound import Outbound
from sandbox.settings import Settings
from sandbox.webhook_url import WebhookUrl, parse

# Calls at once; more wait for their turn.
MAX_CALLS = 16
# Seconds for a whole text, the wait for a turn included.
MAX_SECONDS = 300.0
# Characters of a text.
MAX_TEXT = 100_000

Messages = Sequence[Mapping[str, str]]


class Model:
    """Writes texts, as the settings `model…` of a server say.

    Args:
        settings: the server's.
        own_ports: where this server listens; may still grow.

    Raises:
        SettingsError: a setting is wrong, or lacks another one.
    """

    def __init__(self, settings: Settings, own_ports: Collection[int]) -> None:
        _check(settings)
        self._name = settings.model or ""
        path = settings.model_cassette
        self._cassette = Cassette(Path(path), replay_only=settings.model_replay_only) if path else None
        self._client = None
        if settings.model_url and not settings.model_replay_only:
            outbound = Outbound(sent="prompts", flag="--model-allow", allowed=settings.model_allow, own_ports=own_ports)
            url = _parse_url(settings.model_url)
            self._client = ChatClient(outbound, url, settings.model_key, settings.model_timeout)
        self._turns = asyncio.Semaphore(MAX_CALLS)
        # The calls that are to be recorded, by the keys of their prompts.
        self._recording: dict[str, asyncio.Event] = {}

    def write(self, messages: Messages) -> ModelText:
        """Return a text that will be written, as soon as somebody waits for it."""
        return ModelText(self, messages)

    async def produce(self, text: ModelText, messages: Messages) -> None:
        """Write a text.

        Raises:
            ModelError: it isn't whole, or there is none.
            CassetteError: it is whole, and not kept.
        """
        if self._cassette is None:
            if self._client:
                await self._call(self._client, text, messages)
            return
        key = prompt_key(self._name, messages)
        # Two who ask the same get the same.
        while key in self._recording:
            await self._recording[key].wait()
        kept = self._cassette.find(key)
        if kept is not None:
            text.add(kept)
        elif self._client is None:
            text.failure = "The model's cassette has no answer to this (--model-replay-only)."
            raise ModelError(f"the cassette has no answer to the prompt {key}")
        else:
            self._recording[key] = asyncio.Event()
            try:
                await self._call(self._client, text, messages)
                if text.so_far:
                    await in_thread(self._cassette.keep, key, messages[-1]["content"], text.so_far)
            finally:
                self._recording.pop(key).set()

    async def _call(self, client: ChatClient, text: ModelText, messages: Messages) -> None:
        payload = {"model": self._name, "messages": messages}
        async with self._turns, aclosing(client.stream(payload)) as pieces:
            async for piece in pieces:
                text.add(piece)

    def close(self) -> None:
        """Let other processes use the cassette."""
        if self._cassette:
            self._cassette.close()


class ModelText:
    """A text while it is written; the white space around it is left out.

    `warning` says what went wrong with it, `failure` why nothing else may be said in its place.
    """

    def __init__(self, model: Model, messages: Messages) -> None:
        self._model = model
        self._messages = messages
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._space = ""
        self.so_far = ""
        self.warning: str | None = None
        self.failure: str | None = None

    async def next(self) -> str | None:
        """Wait for the next piece; None: it is over. The first call begins the work."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await self._pieces.get()

    async def close(self) -> None:
        """Stop writing."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def add(self, piece: str) -> None:
        """Write on.

        Raises:
            ModelError: it is too long.
        """
        piece = self._space + piece
        shown = piece.rstrip()
        self._space = piece[len(shown) :]
        shown = shown if self.so_far else shown.lstrip()
        if len(self.so_far) + len(shown) > MAX_TEXT:
            raise ModelError(f"more than {MAX_TEXT:,} characters came")
        if shown:
            self.so_far += shown
            self._pieces.put_nowait(shown)

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(MAX_SECONDS):
                await self._model.produce(self, self._messages)
            if not self.so_far:
                raise ModelError("the answer was empty")
        except CassetteError as error:
            self.warning = f"model: {error}"
        except TimeoutError:
            self.warning = self._warn(f"the text was not whole after {MAX_SECONDS:g} s")
        except ModelError as error:
            self.warning = self._warn(str(error))
        finally:
            self._pieces.put_nowait(None)

    def _warn(self, reason: str) -> str:
        if self.failure:
            return f"model: {reason}"
        end = "what came until then is the reply" if self.so_far else "the sandbox's own agent answered"
        return f"model: {reason}; {end}"


def _check(settings: Settings) -> None:
    """Check the settings that go together."""
    if not settings.model:
        raise SettingsError("--model-url goes with --model: expected the name of a model")
    if not (settings.model_url or settings.model_replay_only):
        raise SettingsError("--model goes with --model-url: expected the URL of an OpenAI-compatible endpoint")
    if settings.model_replay_only and not settings.model_cassette:
        raise SettingsError("--model-replay-only goes with --model-cassette: expected a file to replay")
    if settings.model_url:
        url = _parse_url(settings.model_url)
        if not is_loopback(url.host) and url.host not in AllowedHosts(settings.model_allow):
            text = f"--model-url: {url.host} isn't on loopback: --model-allow {url.host} allows it"
            raise SettingsError(text)
    if settings.model_key and not (settings.model_key.isascii() and settings.model_key.isprintable()):
        raise SettingsError("--model-key: expected printable ASCII characters")


def _parse_url(base: str) -> WebhookUrl:
    """Return where completions are asked for."""
    try:
        return parse(base.rstrip("/") + "/chat/completions")
    except ValueError as error:
        raise SettingsError(f"--model-url: expected {error}") from None
