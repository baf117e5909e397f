"""Answers of a model behind an OpenAI-compatible URL (POST …/chat/completions): Ollama, vLLM, llama.cpp and others.

The URL is that of the command line, or one that the user of the page types. A redirect is not followed, and only the
text of a chat completion is returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from rollup.protocol.json_text import parse_json
from rollup.rpc.params import Invalid, text
from rollup.studio.language_model import NoAnswer

_SECONDS: Final = 120
_MOST_BYTES: Final = 4 * 2**20
_MOST_NAME: Final = 200  # characters


@dataclass(slots=True, frozen=True)
class RemoteModel:
    """Where to ask, by which name of a model, with which key if one is needed."""

    url: str
    name: str
    key: str | None = None

    async def answer(self, messages: Sequence[dict[str, str]], most_tokens: int) -> str:
        """The text of the first choice. Raises NoAnswer."""
        body = {"model": self.name, "messages": list(messages), "max_tokens": most_tokens, "stream": False}
        headers = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        url = f"{self.url.rstrip('/')}/chat/completions"
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, json=body, headers=headers, allow_redirects=False) as response,
            ):
                data = await response.content.read(_MOST_BYTES)
                while len(data) < _MOST_BYTES and not response.content.at_eof():
                    data += await response.content.read(_MOST_BYTES - len(data))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoAnswer(f"{self.url} does not answer: {str(error) or type(error).__name__}") from error
        try:
            text = parse_json(data)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError) as error:
            raise NoAnswer(f"{self.url} answers with HTTP {response.status} and no chat completion") from error
        if not isinstance(text, str) or not text:
            raise NoAnswer(f"{self.url} answers with an empty text")
        return text


def remote_model(value: Any) -> RemoteModel:
    """`{url, model}`: an http or https URL without a user, and the name of a language model there."""
    if not isinstance(value, dict) or not {"url"} <= set(value) <= {"url", "model"}:
        raise Invalid("{url, model} is expected")
    url, name = text(value["url"]), text(value.get("model", "default"))
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        is_url = False
    if not is_url or not url.isprintable():
        raise Invalid("a URL such as http://127.0.0.1:11434/v1 is expected")
    if not 0 < len(name) <= _MOST_NAME:
        raise Invalid(f"the name of a model, of at most {_MOST_NAME} characters, is expected")
    return RemoteModel(url, name)
