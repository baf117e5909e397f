"""Random transactions, batches and refs in the forms that the codecs take."""

from hypothesis import strategies as st

from derivation.batches import SingularBatch
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, SET_CODE, Authorization, Transaction
from tests.vectors.rollup_configs import rollup_config

CHAIN_ID = 901
hashes = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20)
uint64 = st.integers(0, 2**64 - 1)
uint256 = st.integers(0, 2**256 - 1) | st.integers(0, 2**70)
parities = st.integers(0, 1)
access_lists = st.lists(st.tuples(addresses, st.lists(hashes, max_size=2).map(tuple)), max_size=2).map(tuple)
authorizations = st.lists(
    st.builds(Authorization, uint256, addresses, uint64, st.integers(0, 255), uint256, uint256), max_size=2
).map(tuple)


@st.composite
def transactions(draw: st.DrawFn) -> bytes:
    """The encoding of a transaction that a span batch can hold; no signature of it need recover."""
    tx_type = draw(st.sampled_from((LEGACY, ACCESS_LIST, DYNAMIC_FEE, SET_CODE)))
    cap = draw(uint256)
    parity, is_protected = draw(parities), tx_type != LEGACY or draw(st.booleans())
    v = parity if tx_type != LEGACY else parity + (35 + 2 * CHAIN_ID if is_protected else 27)
    return Transaction(
        tx_type,
        nonce=draw(uint64),
        gas_limit=draw(uint64),
        to=draw(addresses if tx_type == SET_CODE else st.none() | addresses),
        value=draw(uint256),
        data=draw(st.binary(max_size=80)),
        chain_id=CHAIN_ID if is_protected else None,
        max_fee_per_gas=cap,
        max_priority_fee_per_gas=draw(uint256) if tx_type in (DYNAMIC_FEE, SET_CODE) else cap,
        access_list=draw(access_lists) if tx_type != LEGACY else (),
        authorization_list=draw(authorizations) if tx_type == SET_CODE else (),
        v=v,
        r=draw(uint256),
        s=draw(uint256),
    ).encode()


@st.composite
def singular_batches(draw: st.DrawFn) -> SingularBatch:
    """A batch of any bytes as transactions: its codec does not read them."""
    return SingularBatch(
        draw(hashes), draw(uint64), draw(hashes), draw(uint64), draw(st.lists(st.binary(max_size=60), max_size=4))
    )


@st.composite
def runs_of_batches(draw: st.DrawFn, config: RollupConfig, min_size: int = 1) -> list[SingularBatch]:
    """Consecutive blocks, their origins rising by at most one per block, as a span batch holds them."""
    count = draw(st.integers(min_size, 12))
    epoch = draw(st.integers(1, 2**40))
    time = config.genesis.l2_time + config.block_time * draw(st.integers(1, 2**30))
    batches = []
    for index in range(count):
        if index:
            epoch += draw(st.booleans())
        raws = draw(st.lists(transactions(), max_size=3))
        batches.append(
            SingularBatch(draw(hashes), epoch, epoch.to_bytes(32, "big"), time + index * config.block_time, raws)
        )
    return batches


def l1_ref(number: int, timestamp: int = 1_800_000_000) -> L1BlockRef:
    """An L1 block by its number."""
    return L1BlockRef(number.to_bytes(32, "big"), number, (number - 1).to_bytes(32, "big"), timestamp)


def config(**changes: object) -> RollupConfig:
    """A config of our chain id."""
    return rollup_config(**{"l2_chain_id": CHAIN_ID, "genesis_l2_time": 1_700_000_000} | changes)
