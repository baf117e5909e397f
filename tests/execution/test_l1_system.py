"""Parts that only L1 blocks have: requests of two system contracts, a blob base fee by the fork's schedule."""

from dataclasses import replace
from math import exp

import pytest

from rollup.execution.block_builder import BlockBuilder
from rollup.execution.block_context import l1_context
from rollup.execution.calls import CallRequest, call
from rollup.execution.chain import Chain
from rollup.execution.engine import AncestorHashes
from rollup.execution.errors import InvalidBlock
from rollup.execution.genesis_account import GenesisAccount
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.l1.genesis import l1_genesis_header
from rollup.protocol.forks import L1Fork
from rollup.protocol.predeploys import CONSOLIDATION_REQUESTS, WITHDRAWAL_REQUESTS
from rollup.store.kv import MemoryStore

TIME = 1_700_000_000
EXCESS = 100_000_000
# EIP-4844, 7691 and 7892: the denominator of the exponent of the blob base fee.
UPDATE_FRACTIONS = {
    L1Fork.CANCUN: 3_338_477,
    L1Fork.PRAGUE: 5_007_716,
    L1Fork.OSAKA: 5_007_716,
    L1Fork.BPO1: 8_346_193,
    L1Fork.BPO2: 11_684_671,
}
RETURN_BLOB_BASE_FEE = bytes.fromhex("4a5f5260205ff3")
REVERT, STOP, INVALID = bytes.fromhex("5f5ffd"), b"\0", b"\xfe"


def l1_of(fork, codes=(), excess=0):
    """The configuration and the chain of an L1 on which these accounts have another code."""
    devnet = make_devnet(DevnetParams(TIME, l1_forks=((fork, 0),), attribution="none"))
    alloc = devnet.l1.file.alloc | {address: GenesisAccount(code=code) for address, code in codes}
    header = l1_genesis_header(replace(devnet.l1.file, alloc=alloc, excess_blob_gas=excess))
    return devnet.l1_config, Chain.open(MemoryStore(), header, alloc)


def context_after(config, chain):
    return l1_context(config, chain.head.header, TIME + 12, bytes(20), 30_000_000, b"", bytes(32), bytes(32))


def sealed_on(config, chain):
    ancestors = AncestorHashes(chain, chain.head.hash)
    builder = BlockBuilder(config, context_after(config, chain), chain.states, ancestors)
    builder.begin()
    return builder.seal()


@pytest.mark.parametrize("contract", [WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS], ids=["EIP-7002", "EIP-7251"])
@pytest.mark.parametrize("code", [b"", REVERT, INVALID], ids=["missing", "reverting", "failing"])
def test_a_block_whose_request_contract_does_not_answer_is_invalid(contract, code):
    with pytest.raises(InvalidBlock, match=f"system contract 0x{contract.hex()}"):
        sealed_on(*l1_of(L1Fork.PRAGUE, [(contract, code)]))
    assert sealed_on(*l1_of(L1Fork.PRAGUE, [(contract, STOP)])).executed.block.number == 1
    assert sealed_on(*l1_of(L1Fork.CANCUN, [(contract, code)])).executed.block.number == 1


@pytest.mark.parametrize("fork", UPDATE_FRACTIONS, ids=lambda fork: fork.name.lower())
def test_the_blob_base_fee_of_a_contract_is_that_of_the_fork(fork):
    config, chain = l1_of(fork, excess=EXCESS)
    context = context_after(config, chain)
    request = CallRequest(data=RETURN_BLOB_BASE_FEE)
    output = call(context, chain.state_at(chain.head.hash), request, lambda number: None).output
    expected = exp(context.excess_blob_gas / UPDATE_FRACTIONS[fork])
    assert int.from_bytes(output, "big") == pytest.approx(expected, rel=1e-3)
