"""The L1 of a rollup in one EVM: its genesis, the roles' addresses, and tries for withdrawal proofs."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from trie import HexaryTrie

from rollup.l1.genesis import L1GenesisParams, build_l1_alloc
from rollup.protocol.primitives import keccak256, rlp_encode
from tests.contracts.evm import Evm

TIME = 1_700_000_000
GWEI = 10**9


def l1(**changes: Any) -> Evm:
    evm = Evm(chain_id=900, timestamp=TIME, base_fee=GWEI)
    return evm.load(build_l1_alloc(L1GenesisParams(timestamp=TIME, **changes)))


@dataclass(slots=True)
class Withdrawal:
    nonce: int
    sender: bytes
    target: bytes
    value: int
    gas_limit: int
    data: bytes

    @property
    def fields(self) -> tuple[Any, ...]:
        return (self.nonce, self.sender, self.target, self.value, self.gas_limit, self.data)

    @property
    def hash(self) -> bytes:
        types = ["uint256", "address", "address", "uint256", "uint256", "bytes"]
        return keccak256(encode(types, self.fields))

    @property
    def slot(self) -> bytes:
        return keccak256(self.hash + bytes(32))


class PasserTrie:
    """The storage trie of L2ToL1MessagePasser."""

    def __init__(self) -> None:
        self.trie: Any = HexaryTrie({})

    def add(self, slot: bytes, value: bytes = b"\x01") -> None:
        self.trie[keccak256(slot)] = rlp_encode(value)

    @property
    def root(self) -> bytes:
        root: bytes = self.trie.root_hash
        return root

    def proof(self, slot: bytes) -> list[bytes]:
        """Encoded nodes, root first; those shorter than 32 bytes stand inside their parents, as in eth_getProof."""
        nodes = [_encode(node) for node in self.trie.get_proof(keccak256(slot))]
        return [node for index, node in enumerate(nodes) if index == 0 or len(node) >= 32]


def _encode(node: Any) -> bytes:
    return rlp_encode([bytes(item) if isinstance(item, bytes) else item for item in node])


def output_root(state_root: bytes, passer_root: bytes, block_hash: bytes) -> bytes:
    return keccak256(bytes(32) + state_root + passer_root + block_hash)
