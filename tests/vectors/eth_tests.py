"""Readers shared by the formats of ethereum/tests: forks by name, allocations, expected refusals."""

import re
from typing import Any

from rollup.execution.genesis_account import Alloc, GenesisAccount
from rollup.protocol.forks import L1Fork
from tests.vector_files import unknown_keys
from tests.vectors.hexes import number, unhex

L1_FORKS = {
    "Merge": L1Fork.PARIS,
    "Paris": L1Fork.PARIS,
    "Shanghai": L1Fork.SHANGHAI,
    "Cancun": L1Fork.CANCUN,
    "Prague": L1Fork.PRAGUE,
}
# A fork and the next, which begins at a time in seconds.
TRANSITION = re.compile(r"(?P<before>[A-Z]\w*?)To(?P<after>[A-Z]\w*?)AtTime(?P<time>\d+)(?P<unit>k?)$")
# Forks that a post-merge engine has no rules for, and why.
OTHER_FORKS = {
    **dict.fromkeys(
        ("Frontier", "Homestead", "EIP150", "EIP158", "Byzantium", "Constantinople", "ConstantinopleFix"),
        "a fork before the merge",
    ),
    **dict.fromkeys(
        ("Istanbul", "MuirGlacier", "Berlin", "London", "ArrowGlacier", "GrayGlacier"), "a fork before the merge"
    ),
    "Osaka": "of Osaka only the virtual machine is built in, for Karst",
}

# What the product says where ethereum/tests expect an exception.
EXCEPTIONS = {
    "INSUFFICIENT_ACCOUNT_FUNDS": "insufficient funds",
    "INTRINSIC_GAS_TOO_LOW": "intrinsic gas too low",
    "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST": "intrinsic gas too low",
    "INSUFFICIENT_MAX_FEE_PER_GAS": "max fee per gas less than block base fee",
    "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS": "max fee per blob gas less than block blob gas fee",
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS": "max priority fee per gas higher than max fee per gas",
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2": "max priority fee per gas higher than max fee per gas",
    "GAS_ALLOWANCE_EXCEEDED": "gas limit reached",
    "GASLIMIT_PRICE_PRODUCT_OVERFLOW": "insufficient funds|overflow",
    "INITCODE_SIZE_EXCEEDED": "max initcode size exceeded",
    "SENDER_NOT_EOA": "sender not an eoa",
    "NONCE_IS_MAX": "nonce has max value",
    "NONCE_MISMATCH_TOO_LOW": "nonce too low",
    "NONCE_MISMATCH_TOO_HIGH": "nonce too high",
    "TYPE_3_TX_BLOB_COUNT_EXCEEDED": "blob gas limit reached",
    "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED": "blob gas limit reached",
    "TYPE_3_TX_CONTRACT_CREATION": "must have a recipient",
    "TYPE_3_TX_ZERO_BLOBS": "missing blob hashes",
    "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH": "invalid hash version",
    "TYPE_3_TX_PRE_FORK": "type not supported",
    "TYPE_3_TX_ZERO_BLOBS_PRE_FORK": "type not supported",
    "TYPE_4_TX_CONTRACT_CREATION": "must have a recipient",
    "TYPE_4_TX_PRE_FORK": "type not supported",
    "TYPE_4_EMPTY_AUTHORIZATION_LIST": "empty auth list",
    # No rule says which of the two is seen first in bytes of a later type that are also broken.
    "TYPE_NOT_SUPPORTED": "type not supported|malformed",
    # A signature is read by the chain id in its v: what is wrong with one shows as either.
    "INVALID_CHAINID": "invalid chain id for signer|invalid signature",
    "EC_RECOVERY_FAIL": "invalid signature",
    "NONCE_TOO_BIG": "nonce has max value",
}


def schedule_of(network: str) -> tuple[tuple[L1Fork, int], ...] | None:
    """L1Config.forks of a network's name; None where it is one of OTHER_FORKS. Raises LookupError for an unknown."""
    found = TRANSITION.match(network)
    names = [found["before"], found["after"]] if found else [network]
    if any(name in OTHER_FORKS for name in names):
        return None
    if any(name not in L1_FORKS for name in names):
        raise LookupError(network)
    times = [0, int(found["time"]) * (1000 if found["unit"] else 1)] if found else [0]
    return tuple((L1_FORKS[name], time) for name, time in zip(names, times, strict=True))


def alloc(pre: dict[str, Any]) -> Alloc:
    """An allocation of ethereum/tests."""
    accounts = {}
    for text, entry in pre.items():
        assert not unknown_keys(entry, ("balance", "nonce", "code", "storage")), text
        storage = {number(slot): number(value) for slot, value in entry["storage"].items()}
        accounts[unhex(text)] = GenesisAccount(
            number(entry["balance"]), number(entry["nonce"]), unhex(entry["code"]), storage
        )
    return accounts


def explains(expected: str, error: Exception) -> bool:
    """The error says what an exception of ethereum/tests ("A|B") stands for; raises LookupError for an unknown one.

    Malformed RLP and a value out of its range are one thing here: the bytes are not a transaction.
    """
    for alternative in expected.split("|"):
        name = alternative.split(".")[-1]
        if name.startswith(("RLP_", "ADDRESS_", "INVALID_SIGNATURE")) or name.endswith("_OVERFLOW"):
            said = EXCEPTIONS.get(name, "malformed|invalid|expected|type not supported")
        elif name in EXCEPTIONS:
            said = EXCEPTIONS[name]
        else:
            raise LookupError(name)
        if re.search(said, str(error)):
            return True
    return False
