"""ethereum/tests' state tests: one transaction on an allocation, to the state root and the logs."""

from typing import Any

import pytest

from rollup.execution.block_builder import BlockBuilder
from rollup.execution.block_context import BlockContext
from rollup.execution.config import L1Config
from rollup.execution.errors import InvalidTransaction
from rollup.execution.state.changes import changes_of_alloc
from rollup.execution.state.database import StateDatabase
from rollup.protocol.forks import L1Fork
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, keccak256, rlp_encode
from rollup.protocol.transaction import Transaction, TransactionError, decode_transaction
from rollup.store.kv import MemoryStore
from tests.vector_files import files, load, unknown_keys
from tests.vectors.eth_tests import L1_FORKS, OTHER_FORKS, alloc, explains
from tests.vectors.hexes import number, unhex

FOLDER = "generic"
DOCUMENTS: dict[str, Any] = {file: load(FOLDER, file) for file in files(FOLDER)}
CASE_KEYS = "_info env post pre transaction config"
ENV_KEYS = (
    "currentBaseFee currentCoinbase currentDifficulty currentExcessBlobGas currentGasLimit currentNumber currentRandom "
    "currentTimestamp currentWithdrawalsRoot currentBeaconRoot previousHash"
)
POST_KEYS = "hash indexes logs txbytes expectException state"
TRANSACTION_KEYS = (
    "data gasLimit nonce secretKey sender to value gasPrice accessLists maxFeePerGas maxPriorityFeePerGas "
    "blobVersionedHashes maxFeePerBlobGas authorizationList"
)


def is_state_tests(document: dict[str, Any]) -> bool:
    cases = [case for group in document.get("files", {}).values() if isinstance(group, dict) for case in group.values()]
    return bool(cases) and all(isinstance(case, dict) and "env" in case and "post" in case for case in cases)


def cases() -> list[Any]:
    return [
        pytest.param(file, case, fork, post, id=f"{path.removeprefix('GeneralStateTests/')}:{name}:{fork}:{index}")
        for file, document in DOCUMENTS.items()
        if is_state_tests(document)
        for path, group in document["files"].items()
        for name, case in group.items()
        for fork, posts in case["post"].items()
        for index, post in enumerate(posts)
    ]


class World:
    """An allocation, and the block a transaction is to run in."""

    def __init__(self, case: dict[str, Any], fork: L1Fork, is_fast: bool) -> None:
        env = case["env"]
        store = MemoryStore()
        self.states = StateDatabase(store, None)
        staged = self.states.stage(EMPTY_TRIE_ROOT, changes_of_alloc(alloc(case["pre"])))
        with store.write() as batch:
            self.states.write_block(batch, b"genesis", staged)
        self.root = staged.root
        config = L1Config(chain_id=1, forks=((fork, 0),))
        timestamp = number(env["currentTimestamp"])
        parent = Header(state_root=staged.root, number=number(env["currentNumber"]) - 1)
        context = BlockContext(
            config=config,
            parent=parent,
            parent_hash=unhex(env.get("previousHash", "0x" + "00" * 32)),
            number=parent.number + 1,
            timestamp=timestamp,
            coinbase=unhex(env["currentCoinbase"]),
            prev_randao=number(env["currentRandom"]).to_bytes(32, "big"),
            gas_limit=number(env["currentGasLimit"]),
            base_fee=number(env["currentBaseFee"]),
            extra_data=b"",
            parent_beacon_block_root=None,
            excess_blob_gas=number(env.get("currentExcessBlobGas", "0x0")),
        )
        # ethereum/tests: the hash of block n is the hash of its number in decimal.
        self.builder = BlockBuilder(
            config, context, self.states, lambda height: keccak256(str(height).encode()), fast=is_fast
        )

    def state_root(self) -> bytes:
        return self.states.stage(self.root, self.builder.accounts.changes()).root


def check_transaction(transaction: Transaction, case: dict[str, Any], indexes: dict[str, int]) -> None:
    """The bytes are the fields that the indexes pick."""
    fields = case["transaction"]
    assert transaction.data == unhex(fields["data"][indexes["data"]])
    assert transaction.gas_limit == number(fields["gasLimit"][indexes["gas"]])
    assert transaction.value == number(fields["value"][indexes["value"]])
    assert transaction.nonce == number(fields["nonce"])
    assert (transaction.to or b"") == unhex(fields["to"])
    assert transaction.max_fee_per_gas == number(fields.get("maxFeePerGas", fields.get("gasPrice")))
    assert list(transaction.blob_versioned_hashes) == [unhex(entry) for entry in fields.get("blobVersionedHashes", [])]
    lists = fields.get("accessLists")
    expected = lists[indexes["data"]] if lists else None
    assert transaction.access_list == tuple(
        (unhex(entry["address"]), tuple(unhex(key) for key in entry["storageKeys"])) for entry in expected or ()
    )
    if "sender" in fields:
        assert transaction.sender == unhex(fields["sender"])


@pytest.mark.parametrize(("file", "case", "fork", "post"), cases())
def test_state(file: str, case: dict[str, Any], fork: str, post: dict[str, Any], ran: Any) -> None:
    unknown = unknown_keys(case, CASE_KEYS.split()) + unknown_keys(case["env"], ENV_KEYS.split())
    unknown += unknown_keys(post, POST_KEYS.split()) + unknown_keys(case["transaction"], TRANSACTION_KEYS.split())
    if unknown:
        pytest.fail(f"{FOLDER}/{file}: no check for {unknown}")
    if fork in OTHER_FORKS:
        pytest.skip(f"{fork}: {OTHER_FORKS[fork]}")
    if fork not in L1_FORKS:
        pytest.fail(f"{FOLDER}/{file}: no such fork: {fork}")
    for is_fast in (True, False):
        run(case, L1_FORKS[fork], post, is_fast)
    ran(f"{FOLDER}/{file}")


def run(case: dict[str, Any], fork: L1Fork, post: dict[str, Any], is_fast: bool) -> None:
    world = World(case, fork, is_fast)
    raw, logs = unhex(post["txbytes"]), []
    expected = post.get("expectException")
    if expected is None:
        transaction = decode_transaction(raw)
        check_transaction(transaction, case, post["indexes"])
        logs = world.builder.apply(transaction).logs
    else:
        with pytest.raises((TransactionError, InvalidTransaction)) as refusal:
            world.builder.apply(decode_transaction(raw))
        assert explains(expected, refusal.value), f"{expected}: {refusal.value}"
    assert world.state_root() == unhex(post["hash"])
    assert keccak256(rlp_encode([[log.address, list(log.topics), log.data] for log in logs])) == unhex(post["logs"])
