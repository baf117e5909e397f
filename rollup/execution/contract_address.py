"""Addresses as the EVM makes them: of contracts that are created (Yellow Paper, 7; EIP-1014), and out of words."""

from rollup.protocol.primitives import Address, keccak256, rlp_encode, to_int_bytes


def create_address(sender: Address, nonce: int) -> Address:
    """Where a creation by this sender and nonce goes."""
    return keccak256(rlp_encode([sender, to_int_bytes(nonce)]))[12:]


def create2_address(sender: Address, salt: int, init_code: bytes) -> Address:
    """Where CREATE2 puts a contract."""
    return keccak256(b"\xff" + sender + salt.to_bytes(32, "big") + keccak256(init_code))[12:]


def address_of_word(word: int) -> Address:
    """The address in the low 20 bytes of a word of the stack."""
    return (word & 2**160 - 1).to_bytes(20, "big")
