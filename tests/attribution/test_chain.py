"""Two chains, one in each mode, fed the same signed transactions: the account has the same storage roots (A10)."""

from dataclasses import dataclass

import pytest
from eth_account import Account

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile.audit import owed_scaled
from rollup.execution.block_builder import BlockBuilder, Sealed
from rollup.execution.block_context import l2_context
from rollup.execution.chain import Chain
from rollup.execution.config import AttributionConfig, L2Config
from rollup.execution.genesis import L2GenesisParams, build_l2_alloc, build_l2_genesis, genesis_header
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import decode_transaction
from rollup.store.kv import MemoryStore

from . import calls
from .harness import CONTRACT, MODES, NATIVE

TIME = 1_700_000_000
CHAIN_ID = 901
SENDERS = [Account.from_key(bytes([i + 1]) * 32) for i in range(4)]
CURATOR, OWNER, PAYER, MEMBER = SENDERS
GWEI = 10**9


@dataclass
class Node:
    """A chain in one mode that makes a block of whatever calls it is given."""

    chain: Chain
    config: L2Config
    nonces: dict[str, int]

    def block(self, *given: tuple[object, bytes, int]) -> tuple[list[Receipt], bytes]:
        """Receipts and the account's storage root."""
        parent = self.chain.head.header
        fork = self.config.fork_at(parent.timestamp + 2)
        attributes = PayloadAttributes(
            timestamp=parent.timestamp + 2,
            prev_randao=bytes(32),
            fee_recipient=b"\x11" * 20,
            parent_beacon_block_root=bytes(32) if fork >= Fork.ECOTONE else None,
            transactions=[],
            no_tx_pool=True,
            gas_limit=60_000_000,
            has_withdrawals=fork >= Fork.CANYON,
            eip1559_params=bytes(8) if fork >= Fork.HOLOCENE else None,
        )
        context = l2_context(self.config, parent, attributes)
        builder = BlockBuilder(self.config, context, self.chain.states, lambda number: None)
        builder.begin()
        for account, data, value in given:
            builder.apply(decode_transaction(self._sign(account, data, value)))
        sealed: Sealed = builder.seal()
        self.chain.insert(sealed.executed, sealed.staged)
        self.chain.set_head(sealed.executed.block.hash)
        return builder.receipts, self.chain.states.storage_root_of(sealed.staged, ADDRESS_BYTES)

    def _sign(self, account: object, data: bytes, value: int) -> bytes:
        nonce = self.nonces[account.address] = self.nonces.get(account.address, -1) + 1  # type: ignore[attr-defined]
        signed = account.sign_transaction(  # type: ignore[attr-defined]
            {
                "chainId": CHAIN_ID,
                "nonce": nonce,
                "to": ADDRESS_BYTES,
                "value": value,
                "data": data,
                "gas": 500_000,
                "maxFeePerGas": 5 * GWEI,
                "maxPriorityFeePerGas": 1,
                "type": 2,
            }
        )
        return bytes(signed.raw_transaction)


def start(mode: str, fork: Fork, time: int = 0) -> Node:
    forks = ForkSchedule.all_at(fork)
    params = L2GenesisParams(
        timestamp=TIME,
        chain_id=CHAIN_ID,
        forks=forks,
        attribution="native" if mode == NATIVE else "contract",
        balances={bytes.fromhex(account.address[2:]): 10**24 for account in SENDERS},
    )
    header = genesis_header(build_l2_genesis(params), forks)
    chain = Chain.open(MemoryStore(), header, build_l2_alloc(params))
    config = L2Config(CHAIN_ID, forks, attribution=AttributionConfig("native" if mode == NATIVE else "contract", time))
    return Node(chain, config, {})


def life() -> list[list[tuple[object, bytes, int]]]:
    """Blocks of transactions: everything from a DataNet to a claim, with two that revert."""
    hashes = (b"\x01" * 32, b"\x02" * 32)
    infer = calls.call("infer", 1, 10, 20, *hashes)
    member = MEMBER.address
    return [
        [(CURATOR, calls.call("createDatanet", hashes[0]), 0), (CURATOR, calls.call("createDatanet", hashes[1]), 0)],
        [
            (CURATOR, calls.call("contribute", 1, [(member, 5, b"\x03" * 32), (OWNER.address, 7, b"\x04" * 32)]), 0),
            (CURATOR, calls.call("contribute", 1, [(member, 5, b"\x03" * 32)]), 0),
            (OWNER, calls.call("registerModel", calls.model_params([(1, 2), (2, 1)])), 0),
        ],
        [(PAYER, infer, 10**15), (PAYER, calls.compact(1, 3, 4, hashes[1]), 777), (PAYER, infer, 1_000_003)],
        [
            (
                OWNER,
                calls.call("inferBatch", 1, 5, 10, 20, hashes[0], [calls.influence_word(1, 1, int(member, 16))]),
                9999,
            ),
            (PAYER, calls.call("request", 1, hashes[0], TIME + 1_000), 5_000),
            (OWNER, calls.call("settle", 1, 1, 1, *hashes, []), 0),
            (MEMBER, calls.call("claim", [1], member), 0),
            (PAYER, calls.call("claimFor", OWNER.address, [1]), 0),
            (MEMBER, calls.call("claim", [1], member), 0),
        ],
        [],
    ]


@pytest.mark.parametrize("fork", [Fork.BEDROCK, Fork.CANYON, Fork.ECOTONE, Fork.ISTHMUS])
def test_a10_two_nodes_one_in_each_mode_agree_on_every_storage_root(fork: Fork) -> None:
    native, contract = start(NATIVE, fork), start(CONTRACT, fork)
    statuses = []
    for block in life():
        ours, our_root = native.block(*block)
        theirs, their_root = contract.block(*block)
        assert our_root == their_root
        assert [(r.status, r.logs) for r in ours] == [(r.status, r.logs) for r in theirs]
        statuses += [r.status for r in ours]
    assert statuses.count(0) == 3, "the duplicate content, 777 wei for a price of 1,000, the second claim"


@pytest.mark.parametrize("mode", MODES)
def test_the_same_blocks_give_the_same_chain_again(mode: str) -> None:
    first, second = start(mode, Fork.ISTHMUS), start(mode, Fork.ISTHMUS)
    for block in life():
        first.block(*block)
        second.block(*block)
    assert first.chain.head.hash == second.chain.head.hash


def test_after_an_inference_the_account_holds_what_it_owes() -> None:
    node = start(NATIVE, Fork.ISTHMUS)
    for block in life():
        node.block(*block)
    state = node.chain.state_at(node.chain.head.hash)
    account = state.account(ADDRESS_BYTES)
    assert account is not None
    people = [int(sender.address, 16) for sender in SENDERS]
    treasury = state.storage(ADDRESS_BYTES, 1) & (1 << 160) - 1
    owed = owed_scaled(lambda slot: state.storage(ADDRESS_BYTES, slot), [*people, treasury])
    assert owed == account.balance << 64
    assert account.balance > 0
