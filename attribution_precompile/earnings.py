"""What people do with what they earned: harvest it from pools, see it, take it out."""

from typing import Final

from .abi import decode_uint64_array, decode_words, encode_words
from .errors import AMOUNT_OVERFLOW, INVALID_ADDRESS, NOTHING_TO_CLAIM, PAYOUT_FAILED
from .events import CLAIMED
from .host import Host
from .layout import CREDITS, DATANETS, MEMBERS, PLATFORM
from .ledger import credit, harvest_member, pending_scaled
from .platform import enter
from .words import pack_platform, unpack_member, unpack_pool

_LOCKED: Final = pack_platform(treasury=0, bps=0, locked=1)


def harvest(host: Host, data: bytes) -> bytes:
    """harvest: by anyone, to the account's own credit. A DataNet it is no member of has no effect."""
    offset, account = decode_words(data, (256, 160))
    datanet_ids = decode_uint64_array(data, offset)
    # A store that changes nothing: it is how the twin, which cannot ask whether its frame is static, halts in one
    # even when there is nothing to harvest. Done here too, so that the storage gas is the same.
    host.sstore(PLATFORM, enter(host).word)
    credit(host, account, _harvest_all(host, datanet_ids, account))
    return b""


def claim(host: Host, data: bytes) -> bytes:
    """claim: the caller's whole credit, harvested first, to `recipient`."""
    offset, recipient = decode_words(data, (256, 160))
    return _pay_out(host, decode_uint64_array(data, offset), host.caller, recipient)


def claim_for(host: Host, data: bytes) -> bytes:
    """claimFor: the account's whole credit, harvested first, to the account itself."""
    account, offset = decode_words(data, (160, 256))
    return _pay_out(host, decode_uint64_array(data, offset), account, account)


def _pay_out(host: Host, datanet_ids: list[int], account: int, recipient: int) -> bytes:
    platform = enter(host)
    if not recipient:
        raise INVALID_ADDRESS()
    harvested = _harvest_all(host, datanet_ids, account)
    slot = host.mapping(account, CREDITS)
    credited = host.sload(slot)
    amount = credited + harvested
    if amount >> 256:
        raise AMOUNT_OVERFLOW()
    if not amount:
        raise NOTHING_TO_CLAIM()
    if credited:
        host.sstore(slot, 0)
    host.log((CLAIMED, account, recipient), encode_words(amount))
    host.sstore(PLATFORM, platform.word | _LOCKED)
    if not host.pay(recipient, amount):
        raise PAYOUT_FAILED()
    host.sstore(PLATFORM, platform.word)
    return encode_words(amount)


def _harvest_all(host: Host, datanet_ids: list[int], account: int) -> int:
    return sum([harvest_member(host, datanet_id, account) for datanet_id in datanet_ids])


def claimable(host: Host, data: bytes) -> bytes:
    """claimable: what claimFor would pay, wei. A DataNet named twice counts once."""
    account, offset = decode_words(data, (160, 256))
    datanet_ids = decode_uint64_array(data, offset)
    amount = host.sload(host.mapping(account, CREDITS))
    seen: set[int] = set()
    for datanet_id in datanet_ids:
        if datanet_id in seen:
            continue
        seen.add(datanet_id)
        paid_acc, units = unpack_member(host.sload(host.mapping(account, host.mapping(datanet_id, MEMBERS))))
        if not units:
            continue
        acc, _ = unpack_pool(host.sload(host.mapping(datanet_id, DATANETS)))
        amount += pending_scaled(acc, paid_acc, units) >> 64
        if amount >> 256:
            raise AMOUNT_OVERFLOW()
    return encode_words(amount)
