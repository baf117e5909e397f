"""The address of a contract that is created (Yellow Paper, 7; EIP-1014)."""

from rollup.protocol.primitives import Address, keccak256, rlp_encode, to_int_bytes


def create_address(sender: Address, nonce: int) -> Address:
    """Where a creation by this sender and nonce goes."""
    return keccak256(rlp_encode([sender, to_int_bytes(nonce)]))[12:]


def create2_address(sender: Address, salt: int, init_code: bytes) -> Address:
    """Where CREATE2 puts a contract."""
    return keccak256(b"\xff" + sender + salt.to_bytes(32, "big") + keccak256(init_code))[12:]
