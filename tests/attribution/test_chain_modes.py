"""A chain in mode `native` and one in mode `contract`, fed the same random transactions: every block leaves the account
with the same storage root.

The transactions are the differential test's (world.py), several a block, with value, reverts and out-of-gas among them.
Where gas runs out is one of the differences allowed, so a transaction that is to run out has less than the native cost.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest

from attribution_precompile import ADDRESS, ADDRESS_BYTES, METHODS, SELECTORS
from rollup.execution.block_builder import BlockBuilder
from rollup.execution.block_context import context_of_header, l2_context
from rollup.execution.calls import CallRequest, CallResult, call
from rollup.execution.chain import Chain
from rollup.execution.config import L2Config
from rollup.execution.genesis import L2GenesisParams, build_l2_genesis, genesis_header
from rollup.execution.genesis_account import GenesisAccount
from rollup.execution.intrinsic import TX_GAS
from rollup.protocol.fees import calldata_gas
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from rollup.store.kv import MemoryStore

from . import bytecode, calls
from .harness import ADMIN, CHAIN_ID, CONTRACT, GENESIS_TIME, NATIVE, TREASURY, address
from .world import FORTUNE, PEOPLE, RECEIVER, REENTRANT, REFUSER, Actor, Step

GAS = 3_000_000
GWEI = 10**9
SENDERS = (*PEOPLE, ADMIN, TREASURY)
CONTRACTS = {
    REFUSER: bytecode.refuser(),
    RECEIVER: bytecode.receiver(),
    REENTRANT: bytecode.reentrant(ADDRESS, calls.METHOD["createDatanet"].selector),
}


class ModeChain:
    """A chain with a block in the making. Signatures are not checked here: the script chooses the sender."""

    def __init__(self, mode: str) -> None:
        params = L2GenesisParams(
            timestamp=GENESIS_TIME,
            chain_id=CHAIN_ID,
            forks=ForkSchedule.all_at(Fork.ISTHMUS),
            attribution="native" if mode == NATIVE else "contract",
            attribution_admin=address(ADMIN),
            attribution_treasury=address(TREASURY),
            balances={address(sender): FORTUNE for sender in SENDERS},
        )
        file = build_l2_genesis(params)
        file.alloc |= {address(at): GenesisAccount(nonce=1, code=code) for at, code in CONTRACTS.items()}
        self.chain = Chain.open(MemoryStore(), genesis_header(file, params.forks), file.alloc)
        self.config = L2Config.from_genesis_json(file.config, file.attribution)
        self.timestamp = GENESIS_TIME
        self.builder = self._begin(2)

    def _begin(self, seconds: int) -> BlockBuilder:
        parent = self.chain.head.header
        self.timestamp = parent.timestamp + seconds
        attributes = PayloadAttributes(
            timestamp=self.timestamp,
            prev_randao=bytes(32),
            fee_recipient=b"\x11" * 20,
            parent_beacon_block_root=bytes(32),
            transactions=[],
            no_tx_pool=True,
            gas_limit=60_000_000,
            has_withdrawals=True,
            eip1559_params=bytes(8),
        )
        context = l2_context(self.config, parent, attributes)
        builder = BlockBuilder(self.config, context, self.chain.states, lambda number: None)
        builder.begin()
        return builder

    def send(self, step: Step, gas: int) -> Receipt:
        sender = address(step.caller)
        transaction = Transaction(
            DYNAMIC_FEE,
            nonce=self.builder.accounts.get_nonce(sender),
            gas_limit=gas,
            to=ADDRESS_BYTES,
            value=step.value,
            data=step.data,
            chain_id=CHAIN_ID,
            max_fee_per_gas=100 * GWEI,
            max_priority_fee_per_gas=1,
            r=1,
            s=1,
            _sender=sender,
        )
        return self.builder.apply(transaction)

    def seal(self, seconds: int) -> bytes:
        """Ends the block and begins the next; the account's storage root."""
        sealed = self.builder.seal()
        self.chain.insert(sealed.executed, sealed.staged)
        self.chain.set_head(sealed.executed.block.hash)
        root = self.chain.states.storage_root_of(sealed.staged, ADDRESS_BYTES)
        self.builder = self._begin(seconds)
        return root

    # -- what the actor looks at

    def storage(self, slot: int) -> int:
        return self.builder.accounts.get_storage(ADDRESS_BYTES, slot)

    def balance(self, account: int) -> int:
        return self.builder.accounts.get_balance(address(account))

    def call(self, data: bytes, *, caller: int, value: int = 0) -> "Answer":
        """The answer to a call in the head's state."""
        result = self.simulate(Step(data, caller, value, False, 0))
        return Answer(result.error is None, result.output)

    def simulate(self, step: Step) -> CallResult:
        """The result of a call at the time of the block being built: a deadline may lie between it and the head."""
        head = self.chain.head
        header = replace(head.header, timestamp=self.timestamp)
        context = context_of_header(self.config, header, head.header)
        request = CallRequest(address(step.caller), ADDRESS_BYTES, GAS, value=step.value, data=step.data)
        return call(context, self.chain.state_at(head.hash), request, lambda number: None)


@dataclass(frozen=True, slots=True)
class Answer:
    success: bool
    output: bytes


class ChainPair:
    """Both chains, in step. Calls are counted by method and by outcome."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.native, self.contract = ModeChain(NATIVE), ModeChain(CONTRACT)
        self.actor = Actor(Random(seed), self.native)  # type: ignore[arg-type]
        self.ended: dict[str, int] = {}
        self.succeeded: set[str] = set()

    def run(self, blocks: int) -> None:
        for number in range(blocks):
            if number:
                self._run_out_of_gas()
            for _ in range(self.random.randrange(9)):
                self._send(self._step(), GAS)
            seconds = self.random.choice((1, 2, 2, 2, 40))
            roots = [chain.seal(seconds) for chain in (self.native, self.contract)]
            assert roots[0] == roots[1], f"block {number + 1}"
            for account in (ADDRESS, REFUSER, REENTRANT, RECEIVER):
                assert self.native.balance(account) == self.contract.balance(account), f"block {number + 1}"

    def _step(self) -> Step:
        """A call an account with a key makes."""
        while True:
            step = self.actor.step()
            if step.caller in SENDERS and not step.static:
                return step

    def _run_out_of_gas(self) -> None:
        """First in a block: the state is the head's, in which the call's gas is known."""
        step = self._step()
        used = self.native.simulate(step)
        intrinsic = TX_GAS + calldata_gas(step.data)
        floor = TX_GAS + 10 * (4 * len(step.data) - 3 * step.data.count(0))
        least = max(intrinsic, floor)
        if used.error is None and least < used.gas_used:
            self._send(step, self.random.randrange(least, used.gas_used), end="out of gas")

    def _send(self, step: Step, gas: int, end: str | None = None) -> None:
        ours, theirs = self.native.send(step, gas), self.contract.send(step, gas)
        assert (ours.status, ours.logs, ours.output) == (theirs.status, theirs.logs, theirs.output), step
        assert not ours.status or ours.gas_used <= theirs.gas_used, step
        if end == "out of gas":
            assert (ours.status, ours.gas_used, theirs.gas_used) == (0, gas, gas), step
        elif ours.status:
            self.succeeded.add(SELECTORS[step.data[:4]].name)
        end = end or ("success" if ours.status else "revert")
        self.ended[end] = self.ended.get(end, 0) + 1


def _soak_seeds() -> Iterator[int]:
    yield from range(int(os.environ.get("OPENROLLUP_SOAK_CHAINS", "20")))


@pytest.mark.parametrize("seed", [1, 2])
def test_a10_random_transactions_leave_both_chains_the_same_storage_root_in_every_block(seed: int) -> None:
    pair = ChainPair(seed)
    pair.run(40)
    assert all(pair.ended[end] >= 5 for end in ("success", "revert", "out of gas")), pair.ended
    assert pair.native.chain.head.number == 40


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
def test_a10_longer_chains_leave_the_same_storage_roots() -> None:
    succeeded = set()
    for seed in _soak_seeds():
        pair = ChainPair(1_000 + seed)
        pair.run(300)
        succeeded |= pair.succeeded
    assert succeeded == {method.name for method in METHODS}
