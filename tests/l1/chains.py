"""A mock L1 from the devnet's genesis, with a clock in the test's hand, and transactions for it."""

from dataclasses import dataclass
from typing import Any

from rollup.clock import ManualClock
from rollup.execution.chain import Chain
from rollup.l1 import kzg
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.l1.miner import FinalityLag, MockL1
from rollup.l1.sidecar import BlobSidecar, make_sidecar
from rollup.pool.limits import PoolLimits
from rollup.pool.mempool import Mempool
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import BLOB, DYNAMIC_FEE, Transaction
from rollup.store.kv import MemoryStore, Store

GENESIS_TIME = 1_700_000_000
CHAIN_ID = 900
GWEI = 10**9
RECIPIENT = b"\x77" * 20


@dataclass
class World:
    """A mock L1 and its clock."""

    l1: MockL1
    clock: ManualClock


def make_l1(
    block_time: int = 12,
    seed: int = 0,
    finality: FinalityLag | None = None,
    store: Store | None = None,
    limits: PoolLimits | None = None,
    keep_pool: bool = False,
) -> World:
    store = store or MemoryStore()
    devnet = make_devnet(DevnetParams(genesis_time=GENESIS_TIME))
    chain = Chain.open(store, devnet.l1.header, devnet.l1.alloc)
    pool = Mempool(chain, devnet.l1_config, limits=limits, journal=store if keep_pool else None)
    clock = ManualClock(GENESIS_TIME)
    l1 = MockL1(chain, devnet.l1_config, clock, pool, block_time, seed=seed, finality=finality)
    return World(l1, clock)


def blob_of(text: bytes) -> bytes:
    """A blob with some bytes in its first field element."""
    return (b"\0" + text).ljust(32, b"\0").ljust(kzg.BLOB_SIZE, b"\0")


def sidecar_of(*texts: bytes) -> BlobSidecar:
    return make_sidecar(tuple(blob_of(text) for text in texts))


def pay(nonce: int = 0, user: int = 0, **fields: Any) -> Transaction:
    """A signed payment of one wei."""
    defaults: dict[str, Any] = {
        "gas_limit": 21_000,
        "to": RECIPIENT,
        "value": 1,
        "chain_id": CHAIN_ID,
        "max_fee_per_gas": 100 * GWEI,
        "max_priority_fee_per_gas": GWEI,
    }
    tx_type = fields.pop("tx_type", DYNAMIC_FEE)
    return Transaction(tx_type, nonce, **(defaults | fields)).signed(USERS[user].private_key)


def carry(sidecar: BlobSidecar, nonce: int = 0, user: int = 0, **fields: Any) -> Transaction:
    """A signed blob transaction that names a sidecar's blobs."""
    blob_fields: dict[str, Any] = {
        "tx_type": BLOB,
        "max_fee_per_blob_gas": 100 * GWEI,
        "blob_versioned_hashes": sidecar.versioned_hashes,
    }
    return pay(nonce, user, **(blob_fields | fields))
