"""Earnings: harvesting them from pools, reading them, paying them out."""

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
    """harvest: anyone may call it, and it adds to the account's own credit. DataNets without this member have no
    effect.
    """
    offset, account = decode_words(data, (256, 160))
    datanet_ids = decode_uint64_array(data, offset)
    # This store changes nothing. The twin cannot ask whether its frame is static, so it uses a store to halt there,
    # even if there is nothing to harvest. It is done here too, so that the storage gas is equal.
    host.sstore(PLATFORM, enter(host).word)
    credit(host, account, _harvest_all(host, datanet_ids, account))
    return b""


def claim(host: Host, data: bytes) -> bytes:
    """claim: harvests and pays the caller's whole credit to `recipient`."""
    offset, recipient = decode_words(data, (256, 160))
    return _pay_out(host, decode_uint64_array(data, offset), host.caller, recipient)


def claim_for(host: Host, data: bytes) -> bytes:
    """claimFor: harvests and pays the account's whole credit to the account itself."""
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
    """claimable: the wei that claimFor would pay. A DataNet named twice counts once."""
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
