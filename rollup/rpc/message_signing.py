"""Signatures of messages by eth-account, as eth_sign and eth_signTypedData return them.

The module is imported by the first request that signs: eth-account loads py_ecc's curves for its key files, which a
start should not wait for.
"""

from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_defunct, encode_typed_data

from rollup.rpc.typed_data import check_array_lengths


def text_message(text: bytes) -> SignableMessage:
    """EIP-191."""
    return encode_defunct(text)


def typed_message(full: Any) -> SignableMessage:
    """EIP-712; raises what eth-account raises for data that it cannot encode."""
    message = encode_typed_data(full_message=full)
    check_array_lengths(full)
    return message


def sign(message: SignableMessage, key: bytes) -> bytes:
    """The signature of 65 bytes."""
    return bytes(Account.sign_message(message, key).signature)
