"""The precompile's logs as plain rows (IAttribution.sol, "events"). Amounts in wei, times in seconds."""

from dataclasses import dataclass

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile import events as topics
from rollup.protocol.primitives import Address
from rollup.protocol.receipt import Log

_INFLUENCE_START = 9 * 32  # eight words, then the count


@dataclass(slots=True, frozen=True)
class Inference:
    """One Inferred event; `body` is its data as logged: seven words, then the influence words."""

    model: int
    inference: int
    payer: Address
    fee: int
    body: bytes

    @property
    def count(self) -> int:
        """The number of inferences in the record. The last of their ids is `inference`."""
        return int.from_bytes(self.body[32:64], "big")

    @property
    def input_tokens(self) -> int:
        """Tokens read."""
        return int.from_bytes(self.body[64:96], "big")

    @property
    def output_tokens(self) -> int:
        """Tokens written."""
        return int.from_bytes(self.body[96:128], "big")

    @property
    def hashes(self) -> tuple[bytes, bytes, bytes]:
        """The hashes of request, response and evidence."""
        return self.body[128:160], self.body[160:192], self.body[192:224]

    @property
    def influence(self) -> bytes:
        """The packed influence words; empty if the default weights were used."""
        return self.body[224:]


def topic_of(log: Log) -> int:
    """Topic 0, or 0 if the log has none or is not the precompile's."""
    if log.address != ADDRESS_BYTES or not log.topics:
        return 0
    return int.from_bytes(log.topics[0], "big")


def indexed(log: Log, position: int) -> int:
    """An indexed number. Positions count from 1."""
    return int.from_bytes(log.topics[position], "big")


def indexed_address(log: Log, position: int) -> Address:
    """An indexed address."""
    return log.topics[position][12:]


def word(log: Log, position: int) -> int:
    """A word of the data."""
    return int.from_bytes(log.data[32 * position : 32 * position + 32], "big")


def hash_word(log: Log, position: int) -> bytes:
    """A word of the data as 32 bytes."""
    return log.data[32 * position : 32 * position + 32]


def inference_of(log: Log) -> Inference:
    """An Inferred log."""
    return Inference(
        indexed(log, 1),
        indexed(log, 2),
        indexed_address(log, 3),
        word(log, 0),
        log.data[: 7 * 32] + log.data[_INFLUENCE_START:],
    )


def is_ours(log: Log) -> bool:
    """Whether a log is one of the precompile's events."""
    return topic_of(log) in _KNOWN


_KNOWN = frozenset(topics.EVENTS.values())
