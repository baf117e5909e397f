"""ethereum/tests' blockchain tests: blocks of L1's forks from the merge on, validated one on the other."""

from typing import Any

import pytest

from rollup.execution.config import L1Config
from rollup.execution.errors import InvalidBlock
from rollup.execution.reexecution import validate_block
from rollup.execution.state.changes import changes_of_alloc
from rollup.execution.state.database import StagedState, StateDatabase
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, RlpError
from rollup.protocol.transaction import TransactionError
from rollup.store.kv import MemoryStore
from tests.vector_files import files, load, unknown_keys
from tests.vectors.eth_tests import OTHER_FORKS, alloc, explains, schedule_of
from tests.vectors.hexes import number, unhex

FOLDER = "generic"
DOCUMENTS: dict[str, Any] = {file: load(FOLDER, file) for file in files(FOLDER)}
CASE_KEYS = (
    "_info blocks config genesisBlockHeader genesisRLP lastblockhash network postState postStateHash pre sealEngine"
)
BLOCK_KEYS = (
    "blockHeader blocknumber chainname expectException rlp rlp_decoded transactionSequence transactions uncleHeaders "
    "withdrawals"
)
HEADER_KEYS = {
    "parentHash": "parent_hash",
    "uncleHash": "uncles_hash",
    "coinbase": "coinbase",
    "stateRoot": "state_root",
    "transactionsTrie": "transactions_root",
    "receiptTrie": "receipts_root",
    "bloom": "logs_bloom",
    "difficulty": "difficulty",
    "number": "number",
    "gasLimit": "gas_limit",
    "gasUsed": "gas_used",
    "timestamp": "timestamp",
    "extraData": "extra_data",
    "mixHash": "prev_randao",
    "nonce": "nonce",
    "baseFeePerGas": "base_fee_per_gas",
    "withdrawalsRoot": "withdrawals_root",
    "blobGasUsed": "blob_gas_used",
    "excessBlobGas": "excess_blob_gas",
    "parentBeaconBlockRoot": "parent_beacon_block_root",
    "requestsHash": "requests_hash",
}


def is_blockchain_tests(document: dict[str, Any]) -> bool:
    cases = [case for group in document.get("files", {}).values() if isinstance(group, dict) for case in group.values()]
    return bool(cases) and all(isinstance(case, dict) and "genesisRLP" in case for case in cases)


def cases() -> list[Any]:
    return [
        pytest.param(file, case, id=f"{path.removeprefix('BlockchainTests/')}:{name.split('::')[-1]}")
        for file, document in DOCUMENTS.items()
        if is_blockchain_tests(document)
        for path, group in document["files"].items()
        for name, case in group.items()
    ]


class Blocks:
    """States and headers of the valid blocks of one case."""

    def __init__(self, config: L1Config, case: dict[str, Any]) -> None:
        self.config = config
        self.store = MemoryStore()
        self.states = StateDatabase(self.store, None)
        genesis = Block.decode(unhex(case["genesisRLP"]))
        staged = self.states.stage(EMPTY_TRIE_ROOT, changes_of_alloc(alloc(case["pre"])))
        assert staged.root == genesis.header.state_root
        self.headers: dict[bytes, Header] = {}
        self.keep(genesis, staged)

    def keep(self, block: Block, staged: StagedState) -> None:
        with self.store.write() as batch:
            self.states.write_block(batch, block.hash, staged)
        self.headers[block.hash] = block.header
        self.head = block

    def validate(self, raw: bytes) -> Block:
        block = Block.decode(raw)
        parent = self.headers.get(block.header.parent_hash)
        if parent is None:
            raise InvalidBlock("parent_hash", "a known block", block.header.parent_hash)

        def block_hash(height: int) -> bytes | None:
            at = block.header.parent_hash
            while at in self.headers and self.headers[at].number > height:
                at = self.headers[at].parent_hash
            return at if at in self.headers else None

        sealed = validate_block(self.config, parent, self.states, block_hash, block)
        assert sealed.executed.block.hash == block.hash
        assert sealed.executed.block.encode() == raw
        self.keep(block, sealed.staged)
        return block


def check_header(header: Header, expected: dict[str, Any]) -> None:
    assert not unknown_keys(expected, ("hash", *HEADER_KEYS))
    assert header.hash == unhex(expected["hash"])
    for key, name in HEADER_KEYS.items():
        value = getattr(header, name)
        if key not in expected:
            assert value is None, key
        else:
            assert value == (unhex(expected[key]) if isinstance(value, bytes) else number(expected[key])), key


@pytest.mark.parametrize(("file", "case"), cases())
def test_blocks(file: str, case: dict[str, Any], ran: Any) -> None:
    if unknown := unknown_keys(case, CASE_KEYS.split()):
        pytest.fail(f"{FOLDER}/{file}: no check for {unknown}")
    try:
        schedule = schedule_of(case["network"])
    except LookupError:
        pytest.fail(f"{FOLDER}/{file}: no such network: {case['network']}")
    if schedule is None:
        pytest.skip(f"{case['network']}: {OTHER_FORKS.get(case['network'], 'a fork this L1 has no rules for')}")
    blocks = Blocks(L1Config(chain_id=1, forks=schedule), case)
    check_header(blocks.head.header, case["genesisBlockHeader"])
    for entry in case["blocks"]:
        run_block(file, blocks, entry)
    assert blocks.head.hash == unhex(case["lastblockhash"])
    root = blocks.head.header.state_root
    if "postStateHash" in case:
        assert root == unhex(case["postStateHash"])
    if "postState" in case:
        assert (
            StateDatabase(MemoryStore()).stage(EMPTY_TRIE_ROOT, changes_of_alloc(alloc(case["postState"]))).root == root
        )
    ran(f"{FOLDER}/{file}")


def run_block(file: str, blocks: Blocks, entry: dict[str, Any]) -> None:
    if unknown := [key for key in unknown_keys(entry, BLOCK_KEYS.split()) if not key.startswith("expectException")]:
        pytest.fail(f"{FOLDER}/{file}: no check for {unknown}")
    raw = unhex(entry["rlp"])
    exceptions = [value for key, value in entry.items() if key.startswith("expectException")]
    if not exceptions:
        check_header(blocks.validate(raw).header, entry["blockHeader"])
        return
    with pytest.raises((InvalidBlock, RlpError, TransactionError)) as refusal:
        blocks.validate(raw)
    expected = exceptions[0]
    if expected.startswith("TransactionException"):
        assert explains(expected, refusal.value), f"{expected}: {refusal.value}"
