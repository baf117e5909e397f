"""The storage layout that solc gives contracts/attribution/Attribution.sol.

Fields of one slot are packed from the low bits up, in order of declaration (Solidity docs, "Layout of State Variables
in Storage"). `LAYOUT` states it as data; a test compares it with the compiler's `storageLayout`, both ways.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sha3 import keccak_256

# The address of the account (docs/attribution.md).
ADDRESS: Final = 0x4F50454E00000000000000000000000000000001

MASK_8: Final = (1 << 8) - 1
MASK_16: Final = (1 << 16) - 1
MASK_32: Final = (1 << 32) - 1
MASK_64: Final = (1 << 64) - 1
MASK_96: Final = (1 << 96) - 1
MASK_128: Final = (1 << 128) - 1
MASK_160: Final = (1 << 160) - 1

# Top-level slots.
ADMIN: Final = 0
PLATFORM: Final = 1  # treasury, bps, lock
COUNTS: Final = 2  # DataNets, models, jobs
CREDITS: Final = 3
NONCES: Final = 4
DATANETS: Final = 5
MEMBERS: Final = 6
CONTENT: Final = 7
MODELS: Final = 8
JOBS: Final = 9

# Slots of a DataNet, from its mapping slot.
POOL: Final = 0  # acc uint160 | remainder uint96
MEMBERSHIP: Final = 1  # totalUnits uint96 | members uint64 | contributions uint64
CURATOR: Final = 2
DATANET_METADATA: Final = 3

# A member is one slot: paidAcc uint160 | units uint96.

# Slots of a model.
OWNER: Final = 0  # owner address | perCall uint96
PRICE: Final = 1  # perKiloInput uint96 | perKiloOutput uint96 | baseModelId uint64
SPLIT: Final = 2  # ownerBps, lineageBps, dataBps uint16 | weightCount uint8 | two weights uint96
ATTRIBUTOR: Final = 3  # attributor address | depth uint8 | trainingStep uint64
MODEL_METADATA: Final = 4
USAGE: Final = 5  # inferences uint64 | revenue uint128 | lastTime uint64
HISTORY: Final = 6
TRAINING: Final = 7
MORE_WEIGHTS: Final = 8  # 30 weights, two per slot


# Slots of a job.
PAYER: Final = 0  # payer address | modelId uint64
ESCROW: Final = 1  # escrow uint128 | deadline uint64 | state uint8
REQUEST: Final = 2


@dataclass(frozen=True, slots=True)
class Field:
    """One variable: its slot (from the start of its struct), its first byte (from the low end), its size in bytes."""

    label: str
    slot: int
    offset: int
    size: int


LAYOUT: Final[dict[str, tuple[Field, ...]]] = {
    "Attribution": (
        Field("admin", ADMIN, 0, 20),
        Field("treasury", PLATFORM, 0, 20),
        Field("platformBps", PLATFORM, 20, 2),
        Field("locked", PLATFORM, 22, 1),
        Field("counts", COUNTS, 0, 32),
        Field("credits", CREDITS, 0, 32),
        Field("nonces", NONCES, 0, 32),
        Field("datanets", DATANETS, 0, 32),
        Field("members", MEMBERS, 0, 32),
        Field("contents", CONTENT, 0, 32),
        Field("models", MODELS, 0, 32),
        Field("jobs", JOBS, 0, 32),
    ),
    "Counts": (Field("datanets", 0, 0, 8), Field("models", 0, 8, 8), Field("jobs", 0, 16, 8)),
    "Datanet": (
        Field("acc", POOL, 0, 20),
        Field("remainder", POOL, 20, 12),
        Field("totalUnits", MEMBERSHIP, 0, 12),
        Field("members", MEMBERSHIP, 12, 8),
        Field("contributions", MEMBERSHIP, 20, 8),
        Field("curator", CURATOR, 0, 20),
        Field("metadata", DATANET_METADATA, 0, 32),
    ),
    "Member": (Field("paidAcc", 0, 0, 20), Field("units", 0, 20, 12)),
    "Model": (
        Field("owner", OWNER, 0, 20),
        Field("perCall", OWNER, 20, 12),
        Field("perKiloInput", PRICE, 0, 12),
        Field("perKiloOutput", PRICE, 12, 12),
        Field("baseModelId", PRICE, 24, 8),
        Field("ownerBps", SPLIT, 0, 2),
        Field("lineageBps", SPLIT, 2, 2),
        Field("dataBps", SPLIT, 4, 2),
        Field("weightCount", SPLIT, 6, 1),
        Field("firstWeight", SPLIT, 7, 12),
        Field("secondWeight", SPLIT, 19, 12),
        Field("attributor", ATTRIBUTOR, 0, 20),
        Field("depth", ATTRIBUTOR, 20, 1),
        Field("trainingStep", ATTRIBUTOR, 21, 8),
        Field("metadata", MODEL_METADATA, 0, 32),
        Field("inferences", USAGE, 0, 8),
        Field("revenue", USAGE, 8, 16),
        Field("lastTime", USAGE, 24, 8),
        Field("history", HISTORY, 0, 32),
        Field("training", TRAINING, 0, 32),
        Field("moreWeights", MORE_WEIGHTS, 0, 480),
    ),
    "Job": (
        Field("payer", PAYER, 0, 20),
        Field("modelId", PAYER, 20, 8),
        Field("escrow", ESCROW, 0, 16),
        Field("deadline", ESCROW, 16, 8),
        Field("state", ESCROW, 24, 1),
        Field("requestHash", REQUEST, 0, 32),
    ),
}


# The cache saves hashing, never gas: the charge is made whether or not the slot is in the cache.
@lru_cache(maxsize=1 << 17)
def mapping_slot(key: int, slot: int) -> int:
    """The slot of `key`'s entry in the mapping at `slot`: keccak256(key . slot)."""
    return int.from_bytes(keccak_256(((key << 256) | slot).to_bytes(64, "big")).digest(), "big")


def datanet_slot(datanet_id: int) -> int:
    """The first slot of a DataNet."""
    return mapping_slot(datanet_id, DATANETS)


def model_slot(model_id: int) -> int:
    """The first slot of a model."""
    return mapping_slot(model_id, MODELS)


def job_slot(job_id: int) -> int:
    """The first slot of a job."""
    return mapping_slot(job_id, JOBS)


def credit_slot(account: int) -> int:
    """The slot of an account's credit, in wei."""
    return mapping_slot(account, CREDITS)


def nonce_slot(payer: int) -> int:
    """The slot of a payer's attestation nonce."""
    return mapping_slot(payer, NONCES)


def member_slot(datanet_id: int, account: int) -> int:
    """The slot of an account's membership in a DataNet."""
    return mapping_slot(account, mapping_slot(datanet_id, MEMBERS))


def content_slot(datanet_id: int, content_hash: int) -> int:
    """The slot that is 1 after `content_hash` has been accepted in the DataNet."""
    return mapping_slot(content_hash, mapping_slot(datanet_id, CONTENT))


def genesis_storage(admin: int | bytes, treasury: int | bytes, bps: int) -> dict[int, int]:
    """The account's storage at activation, by slot: the platform's admin and treasury, and its share of a fee in basis
    points.

    All other slots start at zero and are not stored. Raises ValueError for an address that is zero or wider than 20
    bytes, and for a share above 3,000.

    >>> sorted(genesis_storage(admin=1, treasury=2, bps=500).values())[:1]
    [1]
    >>> genesis_storage(admin=0, treasury=2, bps=500)
    Traceback (most recent call last):
    ValueError: the platform's admin and treasury are addresses other than zero
    """
    admin_word = admin if isinstance(admin, int) else int.from_bytes(admin, "big")
    treasury_word = treasury if isinstance(treasury, int) else int.from_bytes(treasury, "big")
    if not 0 < admin_word <= MASK_160 or not 0 < treasury_word <= MASK_160:
        raise ValueError("the platform's admin and treasury are addresses other than zero")
    if not 0 <= bps <= MAX_PLATFORM_BPS:
        raise ValueError(f"the platform's share is 0 to {MAX_PLATFORM_BPS} basis points, not {bps}")
    return {ADMIN: admin_word, PLATFORM: bps << 160 | treasury_word}


MAX_PLATFORM_BPS: Final = 3_000
