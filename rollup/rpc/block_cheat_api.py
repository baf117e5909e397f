"""Cheats that set fields of the next blocks, and those that are refused as anvil refuses them (docs/cheats.md)."""

from typing import Any

from rollup.protocol.primitives import Address, Hash
from rollup.rpc.cheat_api import Layer, cheat, cheats_of
from rollup.rpc.errors import InvalidParams, RpcError
from rollup.rpc.methods import Method, rpc
from rollup.rpc.params import address, anything, boolean, count64, hash32, quantity


class BlockCheatApi:
    """The cheats of one layer's port that set fields of blocks."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def methods(self, is_strict: bool) -> dict[str, Method]:
        """The handlers by method name; when strict, all of them refuse."""
        return cheats_of(self, is_strict)

    @rpc(("anvil_setCoinbase", "hardhat_setCoinbase"), address)
    @cheat
    def set_coinbase(self, coinbase: Address) -> None:
        """Sets the recipient of the tips of the next blocks. L1 only."""
        self._layer.set_coinbase(coinbase)

    @rpc(("anvil_setNextBlockBaseFeePerGas", "hardhat_setNextBlockBaseFeePerGas"), quantity)
    @cheat
    def set_next_base_fee(self, wei: int) -> None:
        """Sets the base fee of the next block. L1 only: on L2 it follows from the parent."""
        self._layer.set_next_base_fee(wei)

    @rpc(("anvil_setNextBlockPrevRandao", "hardhat_setPrevRandao"), hash32)
    @cheat
    def set_prev_randao(self, value: Hash) -> None:
        """Sets the prevRandao of the next block. L1 only: an L2 block has that of its L1 origin."""
        self._layer.set_next_prev_randao(value)

    @rpc(("evm_setBlockGasLimit", "anvil_setBlockGasLimit"), count64)
    @cheat
    def set_gas_limit(self, gas: int) -> bool:
        """Sets the gas limit of the next blocks; `true`. On L2 the owner of L1's SystemConfig sets it, and L2 blocks
        have it when the method answers.
        """
        self._layer.set_gas_limit(gas)
        return True

    @rpc("anvil_setBlockTimestampInterval", count64)
    @cheat
    def set_block_interval(self, seconds: int) -> None:
        """Sets the seconds between the times of the next blocks. L1: a multiple of the slot, whose other slots stay
        empty. L2: only its block time.
        """
        self._layer.set_block_interval(seconds)

    @rpc("anvil_removeBlockTimestampInterval")
    @cheat
    def remove_block_interval(self) -> bool:
        """Removes the interval between blocks; whether there was one."""
        return self._layer.set_block_interval(None)

    @rpc(("anvil_setMinGasPrice", "hardhat_setMinGasPrice"), quantity)
    @cheat
    def set_min_gas_price(self, wei: int) -> None:
        """Refused, as by anvil: EIP-1559 is active."""
        raise InvalidParams("anvil_setMinGasPrice is not supported when EIP-1559 is active")

    @rpc(("anvil_setLoggingEnabled", "hardhat_setLoggingEnabled"), boolean)
    @cheat
    def set_logging(self, enabled: bool) -> None:
        """Changes nothing: a node writes no line per request in any case."""

    @rpc("anvil_setRpcUrl", anything)
    @cheat
    def set_rpc_url(self, url: Any) -> None:
        """Refused: this chain is not a fork of another one."""
        raise RpcError("this chain is not a fork of another one: there is no RPC URL to set")

    @rpc("anvil_setChainId", count64)
    @cheat
    def set_chain_id(self, chain_id: int) -> None:
        """Refused: the chain id is in `rollup.json` and in every signature."""
        raise RpcError(
            "the chain id is part of rollup.json: choose it with openrollup run --l1-chain-id, --l2-chain-id"
        )
