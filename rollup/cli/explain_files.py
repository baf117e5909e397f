"""Saved L1 data from files, and the chains whose parameters are known without a rollup.json."""

from dataclasses import dataclass
from pathlib import Path

import click

from rollup.protocol.blobs import BLOB_SIZE
from rollup.protocol.blockref import BlockId
from rollup.protocol.config import RollupConfig, RollupGenesis, SystemConfig
from rollup.protocol.forks import NEWEST_STABLE, ForkSchedule
from rollup.protocol.primitives import keccak256
from rollup.protocol.transaction import TransactionError, decode_transaction
from rollup.rpc.saved_data import SavedData

_MAX_FILE_BYTES = 100_000_000


@dataclass(slots=True, frozen=True)
class KnownChain:
    """The parameters of a chain for decoding: ids, and the first L2 block's number and time in seconds."""

    l1_chain_id: int
    l2_chain_id: int
    genesis_number: int
    genesis_time: int
    block_time: int = 2


# superchain-registry, superchain/configs
CHAINS = {
    "op-mainnet": KnownChain(1, 10, 105_235_063, 1_686_068_903),
    "op-sepolia": KnownChain(11_155_111, 11_155_420, 0, 1_691_802_540),
    "base": KnownChain(1, 8453, 0, 1_686_789_347),
}


def known_chain(name: str) -> RollupConfig:
    """A config that is enough to decode the chain's batches; its hashes and addresses are not set."""
    chain = CHAINS[name]
    nobody, nothing = bytes(20), bytes(32)
    first = RollupGenesis(
        BlockId(nothing, 0), BlockId(nothing, chain.genesis_number), chain.genesis_time, SystemConfig(nobody, 0, 0, 0)
    )
    return RollupConfig(
        genesis=first,
        block_time=chain.block_time,
        max_sequencer_drift=1800,
        seq_window_size=3600,
        channel_timeout=300,
        l1_chain_id=chain.l1_chain_id,
        l2_chain_id=chain.l2_chain_id,
        forks=ForkSchedule.all_at(NEWEST_STABLE),
        batch_inbox_address=nobody,
        deposit_contract_address=nobody,
        l1_system_config_address=nobody,
    )


def read_saved(path: Path, index: int) -> SavedData:
    """A signed transaction, a transaction's data, or a blob. ClickException when the file cannot be read."""
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise click.ClickException(f"{path}: more than {_MAX_FILE_BYTES:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    text = data.strip()
    if text[:2] in (b"0x", b"0X"):
        try:
            data = bytes.fromhex(text[2:].decode("ascii"))
        except ValueError as error:
            raise click.ClickException(f"{path}: begins with 0x, and is not hexadecimal") from error
    unnamed = keccak256(index.to_bytes(4, "big") + data)
    if len(data) == BLOB_SIZE:
        return SavedData(blobs=(data,), hash=unnamed)
    try:
        transaction = decode_transaction(data)
        sender = transaction.sender
    except TransactionError:
        return SavedData(calldata=data, hash=unnamed)
    if transaction.blob_versioned_hashes:
        raise click.ClickException(f"{path}: a blob transaction, whose blobs are not in it: explain the blobs' files")
    return SavedData(transaction.data, hash=transaction.hash, sender=sender)
