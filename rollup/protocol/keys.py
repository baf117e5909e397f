"""Addresses of secp256k1 keys."""

from coincurve import PrivateKey, PublicKey

from rollup.protocol.primitives import Address, keccak256


def address_of_key(private_key: bytes) -> Address:
    """The address of a 32-byte private key."""
    return address_of_public_key(PrivateKey(private_key).public_key)


def address_of_public_key(key: PublicKey) -> Address:
    """The address of a public key."""
    return keccak256(key.format(compressed=False)[1:])[12:]
