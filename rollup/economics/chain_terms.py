"""A model's terms as a running chain states them: its lineage, its quote and the platform's share.

The calls are plain `eth_call`s of the precompile's own methods, so any L2 node answers them, with or without an index.
"""

from collections.abc import Iterator
from typing import Final

from attribution_precompile import ADDRESS_BYTES, ERRORS, explain
from attribution_precompile.abi import decode_array, decode_words
from rollup.economics import calls
from rollup.economics.errors import EconomicsError
from rollup.economics.shape import MAX_ANCESTORS, Level
from rollup.l1.json_rpc import JsonRpcClient, RpcError

_ADDRESS: Final = "0x" + ADDRESS_BYTES.hex()
_REVERTED: Final = 3
_WORD: Final = 256  # bits
_BASE, _OWNER_BPS, _LINEAGE_BPS, _DATA_BPS, _WEIGHTS = 2, 7, 8, 9, 10  # words of the method `model`
_MODEL_WORDS: Final = 11


class ChainTerms:
    """Reads models of one chain. Raises EconomicsError, or the client's Temporary and RpcError."""

    def __init__(self, rpc: JsonRpcClient) -> None:
        self._rpc = rpc
        self.url = rpc.url
        self.chain_id = int(rpc.call("eth_chainId"), 16)
        require_precompile(rpc, self.chain_id)

    def platform_bps(self) -> int:
        """The platform's share of every fee, in basis points."""
        return decode_words(self._call("platform"), (_WORD,) * 3, 0)[2]

    def quote(self, model: int, tokens: tuple[int, int]) -> int:
        """The least fee of one inference [wei]."""
        return decode_words(self._call("quote", model, *tokens), (_WORD,), 0)[0]

    def levels(self, model: int) -> Iterator[Level]:
        """The model and those ancestors that its fees reach, the model first."""
        for _ in range(1 + MAX_ANCESTORS):
            data = self._call("model", model)
            words = decode_words(data, (_WORD,) * _MODEL_WORDS, 0)
            weights = tuple(weight for _, weight in decode_array(data, words[_WEIGHTS], (_WORD, _WORD), 0))
            yield Level(words[_OWNER_BPS], words[_LINEAGE_BPS], words[_DATA_BPS], weights)
            model = words[_BASE]
            if not model or not words[_LINEAGE_BPS]:
                return

    def _call(self, name: str, *words: int) -> bytes:
        query = {"to": _ADDRESS, "data": "0x" + calls.call(name, *words).hex()}
        try:
            return bytes.fromhex(self._rpc.call("eth_call", query, "latest")[2:])
        except RpcError as error:
            if error.code == _REVERTED and isinstance(error.data, str):
                raise EconomicsError(f"{self.url}: {_refusal(bytes.fromhex(error.data[2:]), words)}") from error
            raise


def require_precompile(rpc: JsonRpcClient, chain_id: int) -> None:
    """Raises EconomicsError when the chain has no attribution precompile."""
    if rpc.call("eth_getCode", _ADDRESS, "latest") == "0x":
        raise EconomicsError(f"{rpc.url} is chain {chain_id}, without the attribution precompile: is it the L1?")


def _refusal(data: bytes, words: tuple[int, ...]) -> str:
    error = ERRORS.get(data[:4])
    if error is not None and error.name == "UnknownModel":
        return f"there is no model {words[0]}"
    return f"the precompile refused: {explain(data)}"
