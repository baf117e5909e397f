"""DataNets: contributions and the units that a curator gives them. Units are shares of the DataNet's pool."""

from .abi import decode_array, decode_words, encode_words
from .errors import (
    AMOUNT_OVERFLOW,
    DUPLICATE_CONTENT,
    INVALID_ADDRESS,
    UNAUTHORIZED,
    UNKNOWN_DATANET,
)
from .events import CONTRIBUTED, CURATOR_TRANSFERRED, DATANET_CREATED, UNITS_SET
from .host import Host
from .layout import (
    CONTENT,
    COUNTS,
    CURATOR,
    DATANET_METADATA,
    DATANETS,
    MASK_64,
    MASK_96,
    MASK_160,
    MEMBERS,
    MEMBERSHIP,
)
from .ledger import FRACTION, credit, pending_scaled, return_fraction
from .platform import enter
from .words import (
    pack_counts,
    pack_member,
    pack_membership,
    unpack_counts,
    unpack_member,
    unpack_membership,
    unpack_pool,
)


def create_datanet(host: Host, data: bytes) -> bytes:
    """createDatanet: the caller becomes the curator."""
    (metadata,) = decode_words(data, (256,))
    enter(host)
    datanets, models, jobs = unpack_counts(host.sload(COUNTS))
    datanet_id = datanets + 1
    if datanet_id >> 64:
        raise AMOUNT_OVERFLOW()
    host.sstore(COUNTS, pack_counts(datanet_id, models, jobs))
    datanet = host.mapping(datanet_id, DATANETS)
    host.sstore(datanet + CURATOR, host.caller)
    host.sstore(datanet + DATANET_METADATA, metadata)
    host.log((DATANET_CREATED, datanet_id, host.caller), encode_words(metadata))
    return encode_words(datanet_id)


def contribute(host: Host, data: bytes) -> bytes:
    """contribute: each content hash counts once per DataNet. Earlier earnings of the members stay theirs."""
    datanet_id, offset = decode_words(data, (64, 256))
    contributions = decode_array(data, offset, (160, 96, 256))
    enter(host)
    datanet = _curated(host, datanet_id)
    members_map = host.mapping(datanet_id, MEMBERS)
    contents_map = host.mapping(datanet_id, CONTENT)
    acc, remainder = unpack_pool(host.sload(datanet))
    total, members, accepted = unpack_membership(host.sload(datanet + MEMBERSHIP))
    accepted += len(contributions)
    fractions = 0
    for contributor, units, content_hash in contributions:
        if not contributor:
            raise INVALID_ADDRESS()
        content = host.mapping(content_hash, contents_map)
        if host.sload(content):
            raise DUPLICATE_CONTENT(content_hash)
        host.sstore(content, 1)
        slot = host.mapping(contributor, members_map)
        paid_acc, before = unpack_member(host.sload(slot))
        total += units
        if total >> 96:
            raise AMOUNT_OVERFLOW()
        if not before and units:
            members += 1
        scaled = pending_scaled(acc, paid_acc, before) if before else 0
        host.sstore(slot, pack_member(acc, before + units))
        credit(host, contributor, scaled >> 64)
        fractions += scaled & FRACTION
        host.log((CONTRIBUTED, datanet_id, contributor), encode_words(units, content_hash))
    if members >> 64 or accepted >> 64:
        raise AMOUNT_OVERFLOW()
    host.sstore(datanet + MEMBERSHIP, pack_membership(total, members, accepted))
    return_fraction(host, datanet, acc, remainder, fractions)
    return b""


def set_units(host: Host, data: bytes) -> bytes:
    """setUnits: the curator changes a member's share of the pool's later earnings."""
    datanet_id, contributor, units = decode_words(data, (64, 160, 96))
    enter(host)
    datanet = _curated(host, datanet_id)
    if not contributor:
        raise INVALID_ADDRESS()
    slot = host.mapping(contributor, host.mapping(datanet_id, MEMBERS))
    paid_acc, before = unpack_member(host.sload(slot))
    acc, remainder = unpack_pool(host.sload(datanet))
    total, members, contributions = unpack_membership(host.sload(datanet + MEMBERSHIP))
    total += units - before
    members += bool(units) - bool(before)
    if not 0 <= total <= MASK_96 or not 0 <= members <= MASK_64:
        raise AMOUNT_OVERFLOW()
    scaled = pending_scaled(acc, paid_acc, before) if before else 0
    host.sstore(slot, pack_member(acc, units))
    host.sstore(datanet + MEMBERSHIP, pack_membership(total, members, contributions))
    credit(host, contributor, scaled >> 64)
    return_fraction(host, datanet, acc, remainder, scaled & FRACTION)
    host.log((UNITS_SET, datanet_id, contributor), encode_words(before, units))
    return b""


def transfer_curator(host: Host, data: bytes) -> bytes:
    """transferCurator: the curator names another one."""
    datanet_id, to = decode_words(data, (64, 160))
    enter(host)
    datanet = _curated(host, datanet_id)
    if not to:
        raise INVALID_ADDRESS()
    host.sstore(datanet + CURATOR, to)
    host.log((CURATOR_TRANSFERRED, datanet_id, host.caller, to), b"")
    return b""


def datanet(host: Host, data: bytes) -> bytes:
    """datanet: curator, metadata, totalUnits, members, contributions."""
    (datanet_id,) = decode_words(data, (64,))
    slot, curator = _existing(host, datanet_id)
    metadata = host.sload(slot + DATANET_METADATA)
    total, members, contributions = unpack_membership(host.sload(slot + MEMBERSHIP))
    return encode_words(curator, metadata, total, members, contributions)


def member(host: Host, data: bytes) -> bytes:
    """member: units, and the wei that a harvest would pay now."""
    datanet_id, account = decode_words(data, (64, 160))
    slot, _ = _existing(host, datanet_id)
    paid_acc, units = unpack_member(host.sload(host.mapping(account, host.mapping(datanet_id, MEMBERS))))
    pending = pending_scaled(unpack_pool(host.sload(slot))[0], paid_acc, units) >> 64 if units else 0
    return encode_words(units, pending)


def _existing(host: Host, datanet_id: int) -> tuple[int, int]:
    """Returns the DataNet's slot and its curator. Raises UnknownDatanet."""
    slot = host.mapping(datanet_id, DATANETS)
    curator = host.sload(slot + CURATOR) & MASK_160
    if not curator:
        raise UNKNOWN_DATANET(datanet_id)
    return slot, curator


def _curated(host: Host, datanet_id: int) -> int:
    """Returns the DataNet's slot. Raises Unauthorized unless the caller is its curator."""
    slot, curator = _existing(host, datanet_id)
    if curator != host.caller:
        raise UNAUTHORIZED(host.caller)
    return slot
