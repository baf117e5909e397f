"""net_, web3_ and txpool_: the node's identity and its pool."""

from importlib.metadata import version
from typing import Any

from eth_utils.address import to_checksum_address

from rollup.cooperative import in_turns
from rollup.protocol.primitives import Address, keccak256
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.formats import hex_data, transaction_json
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import address, data


def client_version() -> str:
    """The answer to web3_clientVersion."""
    return f"openrollup/v{version('openrollup')}/python"


class Net:
    """The node about itself. It has no peers: it is a local chain."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend

    @rpc("net_version")
    def version(self) -> str:
        """The chain id in decimal."""
        return str(self._backend.config.chain_id)

    @rpc("net_listening")
    def listening(self) -> bool:
        """Always `true`."""
        return True

    @rpc("net_peerCount")
    def peer_count(self) -> str:
        """Always `0x0`: the node has no peers."""
        return "0x0"

    @rpc("web3_clientVersion")
    def client_version(self) -> str:
        """Name and version: `openrollup/v…/python`."""
        return client_version()

    @rpc("web3_sha3", data)
    def sha3(self, data: bytes) -> str:
        """The Keccak-256 hash of some data."""
        return hex_data(keccak256(data))


class TxPool:
    """txpool_: the pool's content."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend

    @rpc("txpool_status")
    def status(self) -> dict[str, str]:
        """`{pending, queued}`: the number of transactions that can run, and of those that wait for an earlier nonce."""
        content = self._content()
        return {
            name: hex(sum(len(items) for items in part.values()))
            for name, part in (("pending", content[0]), ("queued", content[1]))
        }

    @takes_long
    @rpc("txpool_content")
    def content(self) -> dict[str, Any]:
        """All transactions of the pool, by checksummed sender and nonce."""
        return {
            name: {to_checksum_address(sender): _by_nonce(items) for sender, items in part.items()}
            for name, part in zip(("pending", "queued"), self._content(), strict=True)
        }

    @takes_long
    @rpc("txpool_contentFrom", address)
    def content_from(self, sender: Address) -> dict[str, Any]:
        """The pool's transactions of one sender."""
        return {
            name: _by_nonce(part.get(sender, []))
            for name, part in zip(("pending", "queued"), self._content(), strict=True)
        }

    @takes_long
    @rpc("txpool_inspect")
    def inspect(self) -> dict[str, Any]:
        """All transactions of the pool, one line each."""
        return {
            name: {
                to_checksum_address(sender): {str(item.nonce): _summary(item) for item in in_turns(items)}
                for sender, items in part.items()
            }
            for name, part in zip(("pending", "queued"), self._content(), strict=True)
        }

    def _content(self) -> tuple[dict[bytes, Any], dict[bytes, Any]]:
        if self._backend.pool is None:
            return {}, {}
        content = self._backend.pool.content()
        return content.pending, content.queued


def _by_nonce(items: Any) -> dict[str, Any]:
    return {str(item.nonce): transaction_json(item) for item in in_turns(items)}


def _summary(item: Any) -> str:
    target = "contract creation" if item.to is None else to_checksum_address(item.to)
    return f"{target}: {item.value} wei + {item.gas_limit} gas × {item.max_fee_per_gas} wei"
