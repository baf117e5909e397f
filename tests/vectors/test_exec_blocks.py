"""Real blocks of OP Mainnet, OP Sepolia, Unichain and Celo, executed against their witness to their hash."""

from functools import cache
from typing import Any

import pytest

from rollup.execution import replay as replaying
from rollup.execution.block_builder import Sealed
from rollup.execution.replay import ReplayCase, ReplayResult, execute, find_cases, load_case, replay
from rollup.execution.state.account import Account
from rollup.execution.state.reader import TrieReader
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT
from rollup.protocol.receipt import Receipt
from tests.vector_files import files, folder, load, unknown_keys
from tests.vectors.hexes import unhex

FOLDERS = [name for name in ("exec_blocks", "exec_blocks_celo") if (folder() / name).is_dir()]
INDEX = "index.json"
EXPECTED = {"block_hash", "header", "receipts", "tx_results", "post_accounts"}

BLOCKS = [
    pytest.param(name, file, id=f"{name}/{file.split('.')[0]}")
    for name in FOLDERS
    for file in files(name)
    if file != INDEX
]
ENTRIES = [
    pytest.param(name, entry, id=f"{name}/{entry['file'].split('.')[0]}")
    for name in FOLDERS
    if INDEX in files(name)
    for entry in load(name, INDEX)
]
# How clients' eth_getProof writes an account that is not there (EIP-161 leaves no empty one).
ABSENT = (Account(0, 0, bytes(32), bytes(32)), Account(0, 0, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH))


@cache
def replayed(name: str, file: str) -> tuple[ReplayCase, ReplayResult, list[Sealed]]:
    """A file's block, replayed once for all tests, and the block that was built for it."""
    case, built = load_case(folder() / name / file), []

    def keeping(case: ReplayCase) -> Sealed:
        built.append(execute(case))
        return built[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "execute", keeping)
        return case, replay(case), built


def executed(name: str, file: str) -> tuple[ReplayCase, Sealed]:
    """A file's block as it was built."""
    case, _, (sealed,) = replayed(name, file)
    return case, sealed


@pytest.mark.parametrize(("name", "file"), BLOCKS)
def test_a_real_block_has_its_hash(name: str, file: str, ran: Any) -> None:
    # spec: isthmus.withdrawals-root, isthmus.no-requests
    data = load(name, file)
    unknown = unknown_keys(data["expected"], EXPECTED)
    if unknown:
        pytest.fail(f"{name}/{file}: expected: no check for {unknown}")
    _, result, _ = replayed(name, file)
    assert result.difference is None, result.line()
    assert result.fork.name.lower() == data["fork"]
    ran(f"{name}/{file}")


@pytest.mark.parametrize(("name", "file"), BLOCKS)
def test_its_receipts_and_accounts_are_the_recorded_ones(name: str, file: str, ran: Any) -> None:
    expected = load(name, file)["expected"]
    case, sealed = executed(name, file)
    executed_block = sealed.executed
    assert executed_block.block.hash == unhex(expected["block_hash"])
    assert case.header is None or executed_block.block.header == case.header
    receipts = expected.get("receipts")
    if receipts is not None:
        assert ["0x" + receipt.encode(for_root=True).hex() for receipt in executed_block.receipts] == receipts
    results = expected.get("tx_results")
    if results is not None:
        assert [result_of(receipt) for receipt in executed_block.receipts] == results
    accounts = expected.get("post_accounts") or {}
    if accounts:
        check_accounts(case, sealed, accounts)
    ran(f"{name}/{file}", len(receipts or ()) + len(results or ()) + len(accounts))


def result_of(receipt: Receipt) -> dict[str, Any]:
    result: dict[str, Any] = {
        "type": hex(receipt.tx_type),
        "status": receipt.status,
        "gasUsed": receipt.gas_used,
        "cumulativeGasUsed": receipt.cumulative_gas_used,
        "n_logs": len(receipt.logs),
    }
    if receipt.deposit_nonce is not None:
        result["depositNonce"] = receipt.deposit_nonce
    return result


def check_accounts(case: ReplayCase, sealed: Sealed, accounts: dict[str, Any]) -> None:
    """Reads the state after the block from the witness and the nodes the block made."""
    staged = sealed.staged
    reader = TrieReader({**case.preimages, **staged.nodes}, {**case.preimages, **staged.codes}, staged.root)
    for text, wanted in accounts.items():
        address = unhex(text)
        assert wanted.keys() <= {"balance", "nonce", "codeHash", "storageHash", "storage"}, text
        account = Account(
            int(wanted["nonce"], 16),
            int(wanted["balance"], 16),
            unhex(wanted["storageHash"]),
            unhex(wanted["codeHash"]),
        )
        assert reader.account(address) == (None if account in ABSENT else account), text
        for slot, value in wanted["storage"].items():
            assert reader.storage(address, int(slot, 16)) == int(value, 16), (text, slot)


@pytest.mark.parametrize(("name", "entry"), ENTRIES)
def test_the_index_says_what_the_block_says(name: str, entry: dict[str, Any], ran: Any) -> None:
    case, sealed = executed(name, entry["file"])
    block, receipts = sealed.executed.block, sealed.executed.receipts
    header = block.header
    types = [receipt.tx_type for receipt in receipts]
    facts: dict[str, Any] = {
        "chain_id": case.config.chain_id,
        "fork": case.config.fork_at(header.timestamp).name.lower(),
        "block_number": header.number,
        "block_hash": "0x" + block.hash.hex(),
        "full_expected_header": case.header is not None,
        "n_txs": len(block.transactions),
        "n_preimages": len(case.preimages),
        "preimage_bytes": sum(map(len, case.preimages.values())),
        "gas_used": header.gas_used,
        "failed_txs": sum(not receipt.status for receipt in receipts),
        "deposit_txs": types.count(0x7E),
        "tx_types": {hex(kind): types.count(kind) for kind in types},
        "tx_results": [result_of(receipt) for receipt in receipts],
        "only_deposits": set(types) == {0x7E},
        "base_fee": header.base_fee_per_gas,
        "withdrawalsRoot": "0x" + (header.withdrawals_root or b"").hex(),
        "requestsHash": "0x" + (header.requests_hash or b"").hex(),
        "extraData": "0x" + header.extra_data.hex(),
    }
    stated = {key: value for key, value in facts.items() if key in entry}
    assert stated == {key: entry[key] for key in stated}
    ran(f"{name}/{INDEX}")


@pytest.mark.parametrize("name", FOLDERS)
def test_the_command_takes_every_block_of_a_folder(name: str) -> None:
    assert [path.name for path in find_cases([folder() / name])] == [file for file in files(name) if file != INDEX]
