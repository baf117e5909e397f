"""The current models and DataNets: from events, and from storage where events have no data."""

from dataclasses import dataclass

from attribution_precompile import layout, words
from rollup.cooperative import in_turns
from rollup.index.credits import unpack_weights
from rollup.index.index import Index
from rollup.index.rows import DatanetRow, FlowRow, MemberRow, ModelRow
from rollup.protocol.primitives import Address, Hash

_MOST_ANCESTORS = 4  # docs/attribution.md


@dataclass(slots=True, frozen=True)
class Terms:
    """The changeable terms of a model, and its commitments: prices in wei, the attributor as set (zero: the owner)."""

    attributor: Address
    per_call: int
    per_kilo_input: int
    per_kilo_output: int
    history: Hash
    training: Hash


def models(index: Index, after: int, limit: int) -> list[tuple[int, ModelRow]]:
    """Models with ids above `after`, by id."""
    found = index.rows.models.where("id > ? ORDER BY id LIMIT ?", after, limit)
    return [(key[0], row) for key, row in found]


def lineage(index: Index, row: ModelRow) -> list[int]:
    """The ids of a model's ancestors, nearest first."""
    found: list[int] = []
    base = row.base
    while base and len(found) < _MOST_ANCESTORS:
        found.append(base)
        ancestor = index.rows.models.get(base)
        base = ancestor.base if ancestor is not None else 0
    return found


def terms(index: Index, model_id: int) -> Terms:
    """The terms, read from the state at the head."""
    slot = layout.model_slot(model_id)
    _, per_call = words.unpack_owner(index.storage(slot + layout.OWNER))
    per_kilo_input, per_kilo_output, _ = words.unpack_price(index.storage(slot + layout.PRICE))
    attributor, _, _ = words.unpack_attributor(index.storage(slot + layout.ATTRIBUTOR))
    return Terms(
        attributor.to_bytes(20, "big"),
        per_call,
        per_kilo_input,
        per_kilo_output,
        index.storage(slot + layout.HISTORY).to_bytes(32, "big"),
        index.storage(slot + layout.TRAINING).to_bytes(32, "big"),
    )


def flows(index: Index, datanet_id: int) -> list[tuple[int, FlowRow]]:
    """The models that have paid into a DataNet's pool."""
    return [(key[1], row) for key, row in index.rows.flows.where("datanet = ? ORDER BY model", datanet_id)]


def members(index: Index, datanet_id: int, after: Address, limit: int) -> list[tuple[Address, MemberRow]]:
    """Contributors with addresses above `after`, by address."""
    found = index.rows.members.where("datanet = ? AND account > ? ORDER BY account LIMIT ?", datanet_id, after, limit)
    return [(key[1], row) for key, row in found]


def unsettled_scaled(row: DatanetRow) -> int:
    """The debt of a pool to its members, in 2^-64 wei: its income minus settlements and the remainder."""
    return (row.paid - row.settled << 64) - row.remainder


def registered_texts(index: Index, datanet_id: int) -> list[tuple[Address, Hash]]:
    """The owner and the hash of each registered text, in order of registration."""
    found = index.database.execute(
        "SELECT account, content FROM membership WHERE datanet = ? AND content IS NOT NULL ORDER BY position",
        (datanet_id,),
    )
    return [(bytes(account), bytes(content)) for account, content in in_turns(found)]


def weights_of(row: ModelRow) -> list[tuple[int, int]]:
    """A model's default weights (DataNet, weight), in order of DataNet."""
    return [(datanet, weight) for datanet, weight, _ in unpack_weights(row.weights)]
