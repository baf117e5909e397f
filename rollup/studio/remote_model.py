"""Answers of a model behind an OpenAI-compatible URL (POST …/chat/completions): Ollama, vLLM, llama.cpp and others.

Only the URL that the node was started with is asked, so that no page can make the node ask another.
"""

from dataclasses import dataclass
from typing import Final

import aiohttp

from rollup.protocol.json_text import parse_json

_SECONDS: Final = 120
_MOST_BYTES: Final = 4 * 2**20


class NoAnswer(Exception):
    """The model there did not answer; the message says why."""


@dataclass(slots=True, frozen=True)
class RemoteModel:
    """Where to ask, by which name of a model, with which key if one is needed."""

    url: str
    model: str
    key: str | None = None

    async def answer(self, prompt: str, most_tokens: int) -> str:
        """The text of the first choice. Raises NoAnswer."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": most_tokens,
            "stream": False,
        }
        headers = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(f"{self.url.rstrip('/')}/chat/completions", json=body, headers=headers) as response,
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
