"""Storage words as values: an unpack and a pack function for each word of layout.py that holds several fields.

Each pair is named after the word. `unpack_x` takes the stored word and returns its fields in the order of their
declaration in Attribution.sol. `pack_x` takes the same fields and returns the word. Amounts are wei unless a function
says otherwise. The functions return plain tuples because they run in the hot loop. Those of words that inferences read
and seldom change, such as a model's price, keep their last results: that saves time, never gas.

    >>> unpack_member(pack_member(paid_acc=5, units=100))
    (5, 100)
"""

from functools import lru_cache

from .layout import MASK_8, MASK_16, MASK_32, MASK_64, MASK_96, MASK_128, MASK_160

cached = lru_cache(maxsize=1 << 12)


def unpack_platform(word: int) -> tuple[int, int, int]:
    """The treasury's address, the platform's share in basis points, and the re-entrancy lock."""
    return word & MASK_160, word >> 160 & MASK_16, word >> 176 & MASK_8


def pack_platform(treasury: int, bps: int, locked: int = 0) -> int:
    """The PLATFORM word."""
    return locked << 176 | bps << 160 | treasury


def unpack_counts(word: int) -> tuple[int, int, int]:
    """How many DataNets, models and jobs exist."""
    return word & MASK_64, word >> 64 & MASK_64, word >> 128 & MASK_64


def pack_counts(datanets: int, models: int, jobs: int) -> int:
    """The COUNTS word."""
    return jobs << 128 | models << 64 | datanets


def unpack_pool(word: int) -> tuple[int, int]:
    """A pool's earnings per unit since the start, and its undivided remainder, both in 2^-64 wei."""
    return word & MASK_160, word >> 160


def pack_pool(acc: int, remainder: int) -> int:
    """The POOL word of a DataNet."""
    return remainder << 160 | acc


def total_units(word: int) -> int:
    """The total units of a DataNet, from its MEMBERSHIP word."""
    return word & MASK_96


def unpack_membership(word: int) -> tuple[int, int, int]:
    """A DataNet's total units, its members with units, and its accepted contributions."""
    return word & MASK_96, word >> 96 & MASK_64, word >> 160 & MASK_64


def pack_membership(total_units: int, members: int, contributions: int) -> int:
    """The MEMBERSHIP word of a DataNet."""
    return contributions << 160 | members << 96 | total_units


def unpack_member(word: int) -> tuple[int, int]:
    """The pool's `acc` up to which a member has been paid, and the member's units."""
    return word & MASK_160, word >> 160


def pack_member(paid_acc: int, units: int) -> int:
    """A member's word."""
    return units << 160 | paid_acc


@cached
def unpack_owner(word: int) -> tuple[int, int]:
    """A model's owner, and its price per call."""
    return word & MASK_160, word >> 160


def pack_owner(owner: int, per_call: int) -> int:
    """The OWNER word of a model."""
    return per_call << 160 | owner


def unpack_price(word: int) -> tuple[int, int, int]:
    """A model's prices per 1,000 input tokens and per 1,000 output tokens, and the id of its base model."""
    return word & MASK_96, word >> 96 & MASK_96, word >> 192


def pack_price(per_kilo_input: int, per_kilo_output: int, base_model_id: int) -> int:
    """The PRICE word of a model."""
    return base_model_id << 192 | per_kilo_output << 96 | per_kilo_input


@cached
def unpack_shares(word: int) -> tuple[int, int, int]:
    """A model's owner, lineage and data shares in basis points, from its SPLIT word."""
    return word & MASK_16, word >> 16 & MASK_16, word >> 32 & MASK_16


def unpack_weights(word: int) -> tuple[int, int, int]:
    """A model's number of default weights, and its first two weights, from its SPLIT word."""
    return word >> 48 & MASK_8, word >> 56 & MASK_96, word >> 152 & MASK_96


def pack_split(owner_bps: int, lineage_bps: int, data_bps: int, weight_count: int, first: int, second: int) -> int:
    """The SPLIT word of a model. `first` and `second` are weights as `pack_weight` makes them."""
    return second << 152 | first << 56 | weight_count << 48 | data_bps << 32 | lineage_bps << 16 | owner_bps


@cached
def unpack_weight(weight: int) -> tuple[int, int]:
    """The DataNet's id of a default weight (96 bits), and its relative weight."""
    return weight >> 32, weight & MASK_32


def pack_weight(datanet_id: int, weight: int) -> int:
    """A default weight in 96 bits."""
    return datanet_id << 32 | weight


def unpack_weight_pair(word: int) -> tuple[int, int]:
    """The two default weights of a MORE_WEIGHTS word; the second is 0 if there is only one."""
    return word & MASK_96, word >> 96 & MASK_96


def pack_weight_pair(first: int, second: int) -> int:
    """A MORE_WEIGHTS word of a model."""
    return second << 96 | first


@cached
def unpack_attributor(word: int) -> tuple[int, int, int]:
    """A model's attributor (0 for its owner), its number of ancestors, and its last training step."""
    return word & MASK_160, word >> 160 & MASK_8, word >> 168 & MASK_64


def pack_attributor(attributor: int, depth: int, training_step: int) -> int:
    """The ATTRIBUTOR word of a model."""
    return training_step << 168 | depth << 160 | attributor


def unpack_usage(word: int) -> tuple[int, int, int]:
    """A model's inferences, its revenue, and the time of its last inference in unix seconds."""
    return word & MASK_64, word >> 64 & MASK_128, word >> 192


def pack_usage(inferences: int, revenue: int, last_time: int) -> int:
    """The USAGE word of a model."""
    return last_time << 192 | revenue << 64 | inferences


def unpack_job(word: int) -> tuple[int, int]:
    """A job's payer, and the id of its model."""
    return word & MASK_160, word >> 160 & MASK_64


def pack_job(payer: int, model_id: int) -> int:
    """The PAYER word of a job."""
    return model_id << 160 | payer


def unpack_escrow(word: int) -> tuple[int, int, int]:
    """The escrow that a job still holds, its deadline in Unix seconds, and its state (1 open, 2 settled, 3
    cancelled).
    """
    return word & MASK_128, word >> 128 & MASK_64, word >> 192 & MASK_8


def pack_escrow(escrow: int, deadline: int, state: int) -> int:
    """The ESCROW word of a job."""
    return state << 192 | deadline << 128 | escrow


def unpack_influence(word: int) -> tuple[int, int, int]:
    """An influence entry: the DataNet's id, its relative weight, and the contributor (0 for the whole pool)."""
    return word >> 192, word >> 160 & MASK_32, word & MASK_160


def pack_influence(datanet_id: int, weight: int, contributor: int) -> int:
    """An influence entry, one word of calldata."""
    return datanet_id << 192 | weight << 160 | contributor
