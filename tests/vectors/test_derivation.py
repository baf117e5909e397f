"""Real L1 blocks of OP Mainnet through the pipeline to the attributes of real L2 blocks, and on to their hashes."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from derivation.attributes_queue import DerivedAttributes
from derivation.batches import SingularBatch
from derivation.channel_reader import ChannelReader
from derivation.channels import ChannelData
from derivation.errors import EndOfSource, NotEnoughData, NotFound
from derivation.frames import decode_frames
from derivation.l1_retrieval import batcher_data
from derivation.pipeline import Pipeline
from rollup.execution.replay import execute, find_cases, header_from_json, load_case
from rollup.protocol.block import Block
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.bloom import logs_bloom
from rollup.protocol.config import RollupConfig
from rollup.protocol.deposits import TRANSACTION_DEPOSITED, decode_deposit_log
from rollup.protocol.header import Header
from rollup.protocol.l2_blocks import l1_attributes_of, l2_block_ref, system_config_of_block
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import Hash, from_int_bytes, keccak256, rlp_decode
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.system_config import CONFIG_UPDATE
from rollup.protocol.transaction import Transaction, decode_transaction
from tests.vector_files import files, folder, load, unknown_keys
from tests.vectors.hexes import unhex

CHAINS, DEPOSITS = [], []
for name in files("derivation"):
    document = load("derivation", name)
    (CHAINS if "l1_blocks" in document else DEPOSITS).append((f"derivation/{name}", document))


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_section_is_known() -> None:
    for file, chain in CHAINS:
        known(
            file,
            chain,
            *("test", "fork", "rollup_config", "l1_blocks", "channels", "l2_start", "expected_l2_blocks"),
            "batch_only_expectations",
        )
    for file, deposits in DEPOSITS:
        known(file, deposits, "format", "cases")


# --- the real chain as an L1 source


@dataclass
class L1Block:
    ref: L1BlockRef
    header: Header
    transactions: list[Transaction]
    receipts: list[Receipt] | None


def receipt(raw: bytes) -> Receipt:
    tx_type = 0 if raw[0] >= 0xC0 else raw[0]
    status, gas, _, logs = rlp_decode(raw if tx_type == 0 else raw[1:])
    entries = [Log(address, tuple(topics), data) for address, topics, data in logs]
    return Receipt(tx_type, from_int_bytes(status), from_int_bytes(gas), 0, entries)


class RecordedL1:
    """The L1 blocks of a file. Where receipts were not recorded, the bloom says that none of the logs is ours."""

    def __init__(self, blocks: list[dict[str, Any]]) -> None:
        self.blocks = [self._block(item) for item in blocks]
        self._by_hash = {block.ref.hash: block for block in self.blocks}
        self._by_number = {block.ref.number: block for block in self.blocks}

    @staticmethod
    def _block(item: dict[str, Any]) -> L1Block:
        header = Header.decode(unhex(item["header_rlp"]))
        ref = L1BlockRef(unhex(item["hash"]), item["number"], header.parent_hash, header.timestamp)
        receipts = None if item["receipts"] is None else [receipt(unhex(raw)) for raw in item["receipts"]]
        return L1Block(ref, header, [decode_transaction(unhex(raw)) for raw in item["transactions"]], receipts)

    def head(self) -> L1BlockRef:
        return self.blocks[-1].ref

    safe = finalized = head

    def ref_by_number(self, number: int) -> L1BlockRef:
        if number not in self._by_number:
            raise NotFound(f"L1 block {number} was not recorded")
        return self._by_number[number].ref

    def ref_by_hash(self, block_hash: Hash) -> L1BlockRef:
        return self._of(block_hash).ref

    def header(self, block_hash: Hash) -> Header:
        return self._of(block_hash).header

    def receipts(self, block_hash: Hash) -> list[Receipt]:
        return self._of(block_hash).receipts or []

    def transactions(self, block_hash: Hash) -> list[Transaction]:
        return self._of(block_hash).transactions

    def blobs(self, ref: L1BlockRef, hashes: list[Hash]) -> list[bytes]:
        raise NotFound("no blobs were recorded")

    def _of(self, block_hash: Hash) -> L1Block:
        if block_hash not in self._by_hash:
            raise NotFound(f"L1 block 0x{block_hash.hex()} was not recorded")
        return self._by_hash[block_hash]


class NoSafeChain:
    """Blocks before the start were not recorded; singular batches ask for none."""

    def block_by_number(self, number: int) -> Block | None:
        return None


@cache
def l1_of(file: str) -> RecordedL1:
    return RecordedL1(dict(CHAINS)[file]["l1_blocks"])


def config_of(chain: dict[str, Any]) -> RollupConfig:
    data = dict(chain["rollup_config"])
    system = dict(data["genesis"]["system_config"])
    for key in ("overhead", "scalar"):
        system[key] = "0x" + system[key].removeprefix("0x").rjust(64, "0")
    return RollupConfig.from_json(data | {"genesis": data["genesis"] | {"system_config": system}})


def l2_block(item: dict[str, Any]) -> Block:
    return Block(
        Header.decode(unhex(item["header_rlp"])), [decode_transaction(unhex(raw)) for raw in item["transactions"]]
    )


@cache
def derived(file: str) -> list[DerivedAttributes]:
    """The pipeline's attributes for the blocks after the start. Each is derived on the real block before it."""
    chain, l1 = dict(CHAINS)[file], l1_of(file)
    config = config_of(chain)
    blocks = [l2_block(item) for item in (chain["l2_start"], *chain["expected_l2_blocks"])]
    pipeline = Pipeline(config, l1, l1, NoSafeChain())
    pipeline.reset(l1.blocks[0].ref, config.genesis.system_config)
    found: list[DerivedAttributes] = []
    while len(found) < len(blocks) - 1:
        parent = blocks[len(found)]
        try:
            found.append(pipeline.next_attributes(l2_block_ref(config, parent), system_config_of_block(config, parent)))
        except NotEnoughData:
            continue
        except EndOfSource:
            pipeline.advance()
    return found


L1_CASES = [pytest.param(file, item, id=str(item["number"])) for file, chain in CHAINS for item in chain["l1_blocks"]]


@pytest.mark.parametrize(("file", "item"), L1_CASES)
def test_a_recorded_l1_block(file: str, item: dict[str, Any], ran) -> None:
    """Header, roots and the batcher's transactions of an L1 block, as our codecs see them."""
    # spec: retrieval.inbox
    known(
        f"{file}: {item['number']}",
        item,
        *("number", "hash", "header", "header_rlp", "transactions", "receipts", "batcher_tx_indices"),
        *("bloom_excludes_deposit_logs", "bloom_excludes_system_config_logs"),
    )
    config = config_of(dict(CHAINS)[file])
    block = l1_of(file)._by_number[item["number"]]
    header = block.header
    assert header.hash == unhex(item["hash"])
    assert header.encode() == unhex(item["header_rlp"])
    assert header == header_from_json(item["header"])
    assert ordered_trie_root([transaction.encode() for transaction in block.transactions]) == header.transactions_root
    if block.receipts is None:
        assert item["bloom_excludes_deposit_logs"]
        assert item["bloom_excludes_system_config_logs"]
    else:
        assert ordered_trie_root([entry.encode() for entry in block.receipts]) == header.receipts_root
    for key, address, topic in (
        ("deposit", config.deposit_contract_address, TRANSACTION_DEPOSITED),
        ("system_config", config.l1_system_config_address, CONFIG_UPDATE),
    ):
        wanted = int.from_bytes(logs_bloom([Log(address, (topic,), b"")]), "big")
        has_both = wanted & ~int.from_bytes(header.logs_bloom, "big") == 0
        assert item[f"bloom_excludes_{key}_logs"] is not has_both
    inbox, batcher = config.batch_inbox_address, config.genesis.system_config.batcher_address
    assert item["batcher_tx_indices"] == [
        index
        for index, transaction in enumerate(block.transactions)
        if batcher_data(inbox, batcher, [transaction], allow_blobs=True)
    ]
    ran(file)


CHANNEL_CASES = [
    pytest.param(file, item, id=str(item["l1_block"])) for file, chain in CHAINS for item in chain["channels"]
]


class OneChannel:
    """A channel stage by hand."""

    def __init__(self, data: bytes, origin: L1BlockRef) -> None:
        self.items = [ChannelData(data)]
        self.origin = origin

    def next_channel(self) -> ChannelData:
        if not self.items:
            raise EndOfSource
        return self.items.pop()

    def flush(self) -> None:
        self.items = []


@cache
def batches(file: str, l1_block: int, tx_index: int) -> list[SingularBatch]:
    """The batches of a transaction that holds one whole channel."""
    block = l1_of(file)._by_number[l1_block]
    frames = decode_frames(block.transactions[tx_index].data)
    source = OneChannel(b"".join(frame.data for frame in frames), block.ref)
    reader = ChannelReader(config_of(dict(CHAINS)[file]), source)
    found = []
    while True:
        try:
            batch = reader.next_batch()
        except NotEnoughData:
            continue
        except EndOfSource:
            return found
        assert isinstance(batch, SingularBatch)
        found.append(batch)


@pytest.mark.parametrize(("file", "item"), CHANNEL_CASES)
def test_a_channel(file: str, item: dict[str, Any], ran) -> None:
    known(
        f"{file}: channel in {item['l1_block']}",
        item,
        *("l1_block", "tx_index", "channel_id", "frame_number", "frame_data_len", "is_last", "batch_count"),
        *("batch_txs", "first", "last"),
    )
    block = l1_of(file)._by_number[item["l1_block"]]
    frames = decode_frames(block.transactions[item["tx_index"]].data)
    assert len(frames) == 1
    frame = frames[0]
    assert frame.channel_id == unhex(item["channel_id"])
    assert (frame.number, len(frame.data), frame.is_last) == (
        item["frame_number"],
        item["frame_data_len"],
        item["is_last"],
    )
    found = batches(file, item["l1_block"], item["tx_index"])
    assert len(found) == item["batch_count"]
    assert sum(len(batch.transactions) for batch in found) == item["batch_txs"]
    config = config_of(dict(CHAINS)[file])
    for batch, wanted in ((found[0], item["first"]), (found[-1], item["last"])):
        assert (batch.timestamp, batch.epoch_number) == (wanted["timestamp"], wanted["epoch_num"])
        assert config.block_number_at(batch.timestamp) == wanted["l2_block"]
    ran(file)


BATCH_CASES = [
    pytest.param(file, item, id=str(item["number"]))
    for file, chain in CHAINS
    for item in chain["batch_only_expectations"]
]


@pytest.mark.parametrize(("file", "item"), BATCH_CASES)
def test_a_batch_of_a_real_block(file: str, item: dict[str, Any], ran) -> None:
    known(
        f"{file}: batch of {item['number']}",
        item,
        *("number", "hash", "parent_hash", "timestamp", "epoch_num", "epoch_hash", "batch_tx_hashes"),
        "total_tx_count",
    )
    chain = dict(CHAINS)[file]
    assert config_of(chain).block_number_at(item["timestamp"]) == item["number"]
    found = [
        batch
        for channel in chain["channels"]
        for batch in batches(file, channel["l1_block"], channel["tx_index"])
        if batch.timestamp == item["timestamp"]
    ]
    assert len(found) == 1
    batch = found[0]
    assert batch.parent_hash == unhex(item["parent_hash"])
    assert (batch.epoch_number, batch.epoch_hash) == (item["epoch_num"], unhex(item["epoch_hash"]))
    assert ["0x" + keccak256(raw).hex() for raw in batch.transactions] == item["batch_tx_hashes"]
    assert len(batch.transactions) < item["total_tx_count"]
    ran(file)


L2_CASES = [
    pytest.param(file, index, id=str(item["number"]))
    for file, chain in CHAINS
    for index, item in enumerate(chain["expected_l2_blocks"])
]


@pytest.mark.parametrize(("file", "index"), L2_CASES)
def test_the_attributes_of_a_real_block(file: str, index: int, ran) -> None:
    # spec: attributes.transaction-order, attributes.values, engine-api.attributes-beacon-root
    chain = dict(CHAINS)[file]
    item = chain["expected_l2_blocks"][index]
    attributes, block = derived(file)[index].attributes, l2_block(item)
    header = block.header
    check_l2_block(file, chain, item)
    assert derived(file)[index].parent.hash == header.parent_hash
    assert ["0x" + raw.hex() for raw in attributes.transactions] == item["transactions"]
    assert sum(raw[0] == 0x7E for raw in attributes.transactions) == item["deposit_tx_count"]
    assert ordered_trie_root(attributes.transactions) == header.transactions_root
    assert attributes == PayloadAttributes(
        timestamp=header.timestamp,
        prev_randao=header.prev_randao,
        fee_recipient=header.coinbase,
        parent_beacon_block_root=header.parent_beacon_block_root,
        transactions=attributes.transactions,
        no_tx_pool=True,
        gas_limit=header.gas_limit,
        has_withdrawals=header.withdrawals_root is not None,
    )
    ran(file)


def check_l2_block(file: str, chain: dict[str, Any], item: dict[str, Any]) -> None:
    known(
        f"{file}: {item['number']}",
        item,
        *("number", "hash", "timestamp", "header", "header_rlp", "transactions", "deposit_tx_count", "l1_info"),
    )
    block, info = l2_block(item), item["l1_info"]
    assert block.hash == unhex(item["hash"])
    assert block.header == header_from_json(item["header"])
    assert (block.number, block.timestamp) == (item["number"], item["timestamp"])
    ref = l2_block_ref(config_of(chain), block)
    assert (ref.l1_origin.number, ref.l1_origin.hash) == (info["number"], unhex(info["hash"]))
    attributes = l1_attributes_of(block)
    known(f"{file}: l1_info", info, "number", "time", "basefee", "hash", "seq", "batcher", "overhead", "scalar")
    assert (attributes.timestamp, attributes.base_fee) == (info["time"], info["basefee"])
    assert (ref.sequence_number, attributes.sequence_number) == (info["seq"], info["seq"])
    assert attributes.batcher_address == unhex(info["batcher"])
    assert (attributes.overhead, attributes.scalar) == (int(info["overhead"], 16), int(info["scalar"], 16))


@pytest.mark.parametrize(("file", "chain"), CHAINS)
def test_the_block_it_starts_from(file: str, chain: dict[str, Any], ran) -> None:
    check_l2_block(file, chain, chain["l2_start"])
    ran(file)


def recorded_witnesses() -> list[Any]:
    """The exec_blocks files of blocks that are derived here."""
    numbers = {
        str(item["number"]): (file, index)
        for file, chain in CHAINS
        for index, item in enumerate(chain["expected_l2_blocks"])
    }
    found = []
    for path in find_cases([folder() / "exec_blocks"]):
        number = path.name.split(".")[0].rpartition("-")[2]
        if number in numbers:
            found.append(pytest.param(path, *numbers[number], id=number))
    return found


@pytest.mark.parametrize(("path", "file", "index"), recorded_witnesses())
def test_from_l1_data_to_the_real_hash(path: Path, file: str, index: int, ran) -> None:
    """Derived from L1 alone, executed on the parent's real state: the hash of the chain."""
    # spec: verifier.equivalent
    item = dict(CHAINS)[file]["expected_l2_blocks"][index]
    case = load_case(path)
    assert case.block_hash == unhex(item["hash"])
    assert case.parent.hash == derived(file)[index].parent.hash
    sealed = execute(replace(case, attributes=derived(file)[index].attributes))
    assert sealed.executed.block.hash == unhex(item["hash"])
    ran(file)


# --- user deposits


@pytest.mark.parametrize(
    ("file", "case"),
    [
        pytest.param(file, case, id=f"{case['l1_block_number']}-{case['log_index']}")
        for file, document in DEPOSITS
        for case in document["cases"]
    ],
)
def test_a_real_deposit(file: str, case: dict[str, Any], ran) -> None:
    known(
        f"{file}: {case['l1_block_number']}",
        case,
        *("l1_block_hash", "l1_block_number", "log_index", "log", "expected_source_hash", "expected_deposit_tx"),
        "included_in_l2_block",
    )
    log = Log(unhex(case["log"]["address"]), tuple(map(unhex, case["log"]["topics"])), unhex(case["log"]["data"]))
    deposit = decode_deposit_log(log, unhex(case["l1_block_hash"]), case["log_index"])
    assert deposit.source_hash == unhex(case["expected_source_hash"])
    assert deposit.encode() == unhex(case["expected_deposit_tx"])
    for chain_file, chain in CHAINS:
        for index, item in enumerate(chain["expected_l2_blocks"]):
            if item["number"] == case["included_in_l2_block"]:
                assert deposit.encode() in derived(chain_file)[index].attributes.transactions
    ran(file)
