"""The logs of a call, and if wanted a log for each transfer of ether (ERC-7528; geth internal/ethapi/logtracer.go)."""

from eth.exceptions import VMError

from rollup.execution.tracing import CALLCODE, DELEGATECALL, Tracer
from rollup.protocol.primitives import Address
from rollup.protocol.receipt import Log

ETHER = b"\xee" * 20
_TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")


class TransferLogger(Tracer):
    """Logs of the frames that succeed, in order."""

    def __init__(self, traces_transfers: bool) -> None:
        self._traces_transfers = traces_transfers
        self._starts: list[int] = []
        self.logs: list[Log] = []

    def begin(self) -> None:
        """The next call."""
        self.logs = []
        self._starts.clear()

    def on_enter(
        self, depth: int, kind: int, caller: Address, target: Address, value: int | None, gas: int, data: bytes
    ) -> None:
        """A frame that may bring ether along."""
        self._starts.append(len(self.logs))
        if self._traces_transfers and value and kind not in (DELEGATECALL, CALLCODE):
            topics = (_TRANSFER, caller.rjust(32, b"\0"), target.rjust(32, b"\0"))
            self.logs.append(Log(ETHER, topics, value.to_bytes(32, "big")))

    def on_exit(self, depth: int, output: bytes, gas_used: int, error: VMError | None) -> None:
        """A frame that failed takes its logs along."""
        start = self._starts.pop()
        if error is not None:
            del self.logs[start:]

    def on_log(self, address: Address, topics: tuple[int, ...], data: bytes) -> None:
        """A log."""
        self.logs.append(Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data))
