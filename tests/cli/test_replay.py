"""`openrollup replay`, on a block of a devnet with the witness that it needs."""

import copy
import gzip
import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollup.cli.replay import command
from rollup.execution.block_builder import BlockBuilder, l2_context
from rollup.execution.genesis import genesis_header
from rollup.execution.replay import ReplayError, load_case, replay
from rollup.execution.state.changes import changes_of_alloc
from rollup.execution.state.database import StateDatabase
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.l1_attributes import l1_attributes_deposit
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.predeploys import BASE_FEE_VAULT, L1_BLOCK
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, keccak256
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from rollup.rpc.formats import header_json

TIME = 1_700_000_000
Case = dict[str, Any]


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


@lru_cache
def built(jovian_time: int = TIME) -> str:
    """A Jovian block with an L1 attributes deposit, in the exec_blocks format.

    It has two transfers too, unless it is Jovian's first block: that one takes deposits only.
    """
    devnet = make_devnet(DevnetParams(TIME, forks=replace(ForkSchedule.all_at(Fork.ISTHMUS, TIME), jovian=jovian_time)))
    states = StateDatabase.of_witness({})
    staged = states.stage(EMPTY_TRIE_ROOT, changes_of_alloc(devnet.l2.file.alloc))
    witness = {**staged.nodes, **staged.codes}
    parent = genesis_header(devnet.l2.file, devnet.rollup_config.forks)
    attributes = PayloadAttributes(
        timestamp=TIME + 2,
        prev_randao=b"\x05" * 32,
        fee_recipient=b"\xcb" * 20,
        parent_beacon_block_root=b"\x06" * 32,
        transactions=[],
        no_tx_pool=True,
        gas_limit=60_000_000,
        eip1559_params=bytes(8),
        min_base_fee=7,
    )
    l1 = devnet.l1.header
    deposit = l1_attributes_deposit(
        devnet.rollup_config, devnet.rollup_config.genesis.system_config, l1, l1.hash, 1, TIME + 2
    )
    transfers = [
        Transaction(
            DYNAMIC_FEE, nonce=nonce, gas_limit=21_000, to=b"\x77" * 20, value=5, chain_id=901, max_fee_per_gas=10**10
        ).signed(USERS[0].private_key)
        for nonce in range(2 if jovian_time < TIME + 2 else 0)
    ]
    context = l2_context(devnet.l2_config, parent, attributes)
    builder = BlockBuilder(devnet.l2_config, context, StateDatabase.of_witness(witness), {0: parent.hash}.get)
    builder.begin()
    builder.apply_all([deposit, *transfers])
    block = builder.seal().executed.block
    case = {
        "chain_id": 901,
        "fork": "jovian",
        "rollup_config": devnet.rollup_config.to_json(),
        "parent_header": header_json(parent, parent.hash),
        "payload_attributes": {
            "timestamp": hex(TIME + 2),
            "prevRandao": hexed(attributes.prev_randao),
            "suggestedFeeRecipient": hexed(attributes.fee_recipient),
            "parentBeaconBlockRoot": hexed(b"\x06" * 32),
            "transactions": [hexed(transaction.encode()) for transaction in block.transactions],
            "gasLimit": hex(60_000_000),
            "withdrawals": [],
            "eip1559Params": hexed(bytes(8)),
            "minBaseFee": 7,
        },
        "expected": {"block_hash": hexed(block.hash), "header": header_json(block.header, block.hash)},
        "blockhash_headers": [],
        "preimages": {hexed(key): hexed(value) for key, value in witness.items()},
    }
    return json.dumps(case)


@pytest.fixture
def case() -> Case:
    data: Case = json.loads(built())
    return data


def write(folder: Path, case: Any, name: str = "block.json") -> Path:
    path = folder / name
    text = json.dumps(case).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


def run(*paths: Path, options: tuple[str, ...] = ()) -> Result:
    result = CliRunner().invoke(command, [*options, *map(str, paths)])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def test_a_block_with_its_hash(tmp_path: Path, case: Case) -> None:
    result = run(write(tmp_path, case))
    assert result.exit_code == 0
    assert "block: block 1 jovian 3 txs" in result.output
    assert result.output.endswith("hash equal\n1 of 1 hashes equal\n")


@pytest.mark.parametrize("has_times", [True, False])
def test_the_first_block_of_a_fork_has_a_parent_without_it(tmp_path: Path, has_times: bool) -> None:
    case: Case = json.loads(built(TIME + 2))
    assert len(case["parent_header"]["extraData"]) < len(case["expected"]["header"]["extraData"])
    if not has_times:
        case["rollup_config"] = {"l2_chain_id": 901, "chain_op_config": {"eip1559DenominatorCanyon": None}}
        assert run(write(tmp_path, case, "unnamed.json")).exit_code == 1
        case["activation_block_of"] = ["jovian"]
    assert run(write(tmp_path, case)).output.endswith("1 of 1 hashes equal\n")


def test_a_folder_of_plain_and_packed_files_without_its_index(tmp_path: Path, case: Case) -> None:
    write(tmp_path, case, "b.json.gz")
    write(tmp_path, case, "a.json")
    write(tmp_path, [], "index.json")
    (tmp_path / "notes.txt").write_text("no block")
    result = run(tmp_path)
    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.output.splitlines()] == ["a", "b", "2 of 2 hashes equal"]


def test_json_has_an_object_a_block(tmp_path: Path, case: Case) -> None:
    good = write(tmp_path, case, "good.json")
    bad = write(tmp_path, {}, "bad.json")
    result = run(good, bad, options=("--json",))
    assert result.exit_code == 1
    first, second = map(json.loads, result.output.splitlines())
    assert (first["name"], first["number"], first["fork"], first["equal"]) == ("good", 1, "jovian", True)
    assert first["gas_used"] == int(case["expected"]["header"]["gasUsed"], 16)
    assert (second["name"], second["equal"]) == ("bad.json", False)
    assert "payload_attributes" in second["difference"]


def test_a_chains_other_fees_are_configuration(tmp_path: Path, case: Case) -> None:
    """A block has its hash only with the fee recipient with which it was built."""
    path, file = write(tmp_path, case), tmp_path / "variants.json"
    chain_id = str(load_case(path).config.chain_id)
    for recipient, equal in ((hexed(BASE_FEE_VAULT), True), ("0x" + "ce" * 20, False)):
        file.write_text(json.dumps({chain_id: {"baseFeeRecipient": recipient}}))
        result = run(path, options=("--variants", str(file)))
        assert result.exit_code == (0 if equal else 1), result.output
        assert ("differs" in result.output) is not equal
    file.write_text("[]")
    assert str(file) in run(path, options=("--variants", str(file))).output


def roots(case: Case) -> dict[str, str]:
    """Preimages whose absence stops the block: the state's root, the root of L1Block's slots, its code."""
    state = case["parent_header"]["stateRoot"]
    alloc = make_devnet(DevnetParams(TIME)).l2.file.alloc
    return {"state root": state, "code": hexed(keccak256(alloc[L1_BLOCK].code))}


@pytest.mark.parametrize("what", ["state root", "code"])
def test_a_missing_preimage_is_named(tmp_path: Path, case: Case, what: str) -> None:
    missing = roots(case)[what]
    del case["preimages"][missing]
    result = run(write(tmp_path, case))
    assert result.exit_code == 1
    assert f"missing preimage {missing}" in result.output
    assert result.output.endswith("0 of 1 hashes equal\n")


def test_any_missing_preimage_is_named_or_not_needed(case: Case, tmp_path: Path) -> None:
    """Every third: the result is the hash, or the name of the one that is not there."""
    full = load_case(write(tmp_path, case))
    named = 0
    for missing in sorted(full.preimages)[::3]:
        lacking = copy.copy(full)
        lacking.preimages = {key: value for key, value in full.preimages.items() if key != missing}
        result = replay(lacking)
        assert result.difference in (None, f"missing preimage {hexed(missing)}")
        named += result.difference is not None
    assert named


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        ("stateRoot", "state_root", hexed(b"\x11" * 32)),
        ("gasUsed", "gas_used", "0x3039"),
        ("receiptsRoot", "receipts_root", hexed(b"\x12" * 32)),
        ("extraData", "extra_data", "0x"),
        ("blobGasUsed", "blob_gas_used", "0x7"),
        ("requestsHash", "requests_hash", hexed(b"\x13" * 32)),
    ],
)
def test_a_field_that_differs_is_shown_with_both_values(
    tmp_path: Path, case: Case, key: str, field: str, value: str
) -> None:
    header = case["expected"]["header"]
    was, header[key] = header[key], value
    case["expected"]["block_hash"] = hexed(b"\x01" * 32)
    result = run(write(tmp_path, case))
    assert result.exit_code == 1
    number = field in ("gas_used", "blob_gas_used")
    ours, theirs = (str(int(text, 16)) if number else text for text in (was, value))
    assert f"{field} differs: {ours}, expected {theirs}\n" in result.output


def test_of_several_fields_the_first_is_shown(tmp_path: Path, case: Case) -> None:
    header = case["expected"]["header"]
    header["gasUsed"], header["receiptsRoot"] = "0x1", hexed(b"\x12" * 32)
    case["expected"]["block_hash"] = hexed(b"\x01" * 32)
    output = run(write(tmp_path, case)).output
    assert "receipts_root differs" in output
    assert "gas_used" not in output


@pytest.mark.parametrize("with_header", [True, False])
def test_a_hash_that_differs_is_shown_with_both_values(tmp_path: Path, case: Case, with_header: bool) -> None:
    was, case["expected"]["block_hash"] = case["expected"]["block_hash"], hexed(b"\x01" * 32)
    if not with_header:
        del case["expected"]["header"]
    result = run(write(tmp_path, case))
    assert result.exit_code == 1
    assert f"hash differs: {was}, expected {hexed(bytes([1]) * 32)}\n" in result.output


def test_a_forbidden_transaction_is_reported(tmp_path: Path, case: Case) -> None:
    transactions = case["payload_attributes"]["transactions"]
    transactions.append(transactions[-1])
    result = run(write(tmp_path, case))
    assert result.exit_code == 1
    assert "nonce too low" in result.output


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.json"),
        (b"{", "open.json"),
        (b"\xff\xfe", "binary.json"),
        (b"[" * 100_000, "deep.json"),
        (b"no gzip", "plain.json.gz"),
        (gzip.compress(b"{}", mtime=0)[:-9], "cut.json.gz"),
        (gzip.compress(b"{}" * 50, mtime=0)[:12] + b"\xff" * 40, "damaged.json.gz"),
        (b"[]", "list.json"),
        (b"null", "null.json"),
        (b"{}", "nothing.json"),
        (b'{"payload_attributes": 1, "expected": [], "preimages": []}', "shapes.json"),
    ],
)
def test_garbage_is_an_error_and_the_next_file_has_its_turn(
    tmp_path: Path, case: Case, content: bytes, name: str
) -> None:
    (tmp_path / name).write_bytes(content)
    write(tmp_path, case, "zz.json")
    result = run(tmp_path)
    assert result.exit_code == 1
    assert f"Error: {tmp_path / name}: " in result.output
    assert "zz: block 1" in result.output
    assert result.output.endswith("1 of 2 hashes equal\n")


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "absent.json", "no such file or folder"), (tmp_path, "no recorded blocks in")):
        result = run(path)
        assert result.exit_code == 1
        assert words in result.output


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda case: case["payload_attributes"].update(timestamp=hex(TIME)), "timestamp"),
        (lambda case: case["payload_attributes"].update(gasLimit="0x0"), "gasLimit"),
        (lambda case: case["payload_attributes"].update(eip1559Params="0x00"), "eip1559Params"),
        (lambda case: case["payload_attributes"].update(transactions=["0x7f"]), "transaction"),
        (lambda case: case["payload_attributes"].update(transactions=[""]), "empty transaction"),
        (lambda case: case["parent_header"].update(extraData="0x"), "extraData"),
        (lambda case: case.update(fork="shanghai"), "SHANGHAI"),
        (lambda case: case["parent_header"].update(number="-0x5"), "negative"),
        (lambda case: case.update(preimages=[]), "items|values"),
    ],
)
def test_a_case_without_a_block_is_refused_with_the_reason(tmp_path: Path, case: Case, change: Any, words: str) -> None:
    change(case)
    result = run(write(tmp_path, case))
    assert result.exit_code == 1
    assert any(word in result.output for word in words.split("|")), result.output


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(node, dict):
        return [path, *(place for key in node for place in places(node[key], (*path, key)))]
    if isinstance(node, list):
        return [path, *(place for index, item in enumerate(node) for place in places(item, (*path, index)))]
    return [path]


def slim() -> Case:
    """The case without its witness: what is left is read before a node is."""
    data: Case = json.loads(built())
    data["preimages"] = {}
    return data


PLACES = places(slim())[1:]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(PLACES),
    st.sampled_from([None, -1, 2**300, "", "0x", "0xzz", "0x" + "ff" * 40, "-0x1", [], {}, [[]], True, 1.5, "0x1" * 9]),
)
def test_no_value_anywhere_stops_the_command(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    data = node = slim()
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    path = write(tmp_path, data)
    try:
        loaded = load_case(path)
    except ReplayError:
        return
    assert replay(loaded).difference


def test_the_header_is_read_as_it_is_written(case: Case) -> None:
    header = case["expected"]["header"]
    assert len(Header.__slots__) <= len(header)
    assert Fork[case["fork"].upper()] == Fork.JOVIAN
