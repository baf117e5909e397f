"""inferCompact's reason: its signed transaction is never above Fjord's minimum for data (docs/attribution-gas.md)."""

from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution_precompile import ADDRESS_BYTES
from rollup.protocol.fees import ALWAYS_MINIMUM_SIZE, MIN_TRANSACTION_SIZE, fastlz_length, fjord_size_scaled

from . import calls
from .harness import CHAIN_ID

GWEI = 10**9
SENDER = Account.from_key(b"\x07" * 32)


def signed(data: bytes, **fields: int) -> bytes:
    transaction = {"chainId": CHAIN_ID, "to": ADDRESS_BYTES, "data": data, "gas": 60_000, **fields}
    return bytes(SENDER.sign_transaction(transaction).raw_transaction)


def below(bits: int) -> st.SearchStrategy[int]:
    """Numbers of every length up to this many bits, the longest too."""
    return st.one_of(st.integers(0, 2**bits - 1), st.integers(2 ** (bits - 1), 2**bits - 1))


compact = st.builds(calls.compact, below(32), below(32), below(32), st.binary(min_size=32, max_size=32))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(data=compact, nonce=below(32), fee=below(40), tip=below(40), value=below(72))
def test_a_dynamic_fee_transaction_is_charged_the_minimum(
    data: bytes, nonce: int, fee: int, tip: int, value: int
) -> None:
    """Up to 1,099 gwei of fees, 4,722 OPEN to pay and four thousand million transactions before. It may be 174 bytes
    long: the precompile's address has fifteen zeros, which compress."""
    raw = signed(data, nonce=nonce, maxFeePerGas=max(fee, tip), maxPriorityFeePerGas=tip, value=value, type=2)
    assert len(raw) <= 174
    assert fjord_size_scaled(raw) == MIN_TRANSACTION_SIZE * 10**6
    assert 836_500 * fastlz_length(raw) - 42_585_600 <= MIN_TRANSACTION_SIZE * 10**6


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(data=compact, nonce=below(24), price=below(32), value=below(64))
def test_a_legacy_transaction_is_within_the_always_minimum_size(
    data: bytes, nonce: int, price: int, value: int
) -> None:
    """Without a list, a tip and a type it needs no compressing: 164 bytes cannot be above the minimum."""
    assert len(signed(data, nonce=nonce, gasPrice=price, value=value)) <= ALWAYS_MINIMUM_SIZE


def test_infer_is_not() -> None:
    data = calls.call("infer", 1, 700, 300, bytes(range(64, 96)), bytes(range(96, 128)))
    raw = signed(data, nonce=1_000, maxFeePerGas=GWEI, maxPriorityFeePerGas=10**6, value=10**15, type=2)
    assert fjord_size_scaled(raw) > MIN_TRANSACTION_SIZE * 10**6
