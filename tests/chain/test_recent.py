"""A cache bounded by number and by weight, against a list that is counted anew after every step."""

from hypothesis import given
from hypothesis import strategies as st

from rollup.protocol.recent import Recent

MOST, HEAVIEST = 5, 100


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 150)), max_size=40))
def test_what_is_kept_is_the_newest_that_fits(steps: list[tuple[int, int]]) -> None:
    recent: Recent[int] = Recent(MOST, lambda value: value, HEAVIEST)
    expected: list[tuple[bytes, int]] = []
    for number, weight in steps:
        key = bytes([number])
        recent.put(key, weight)
        expected = [entry for entry in expected if entry[0] != key] + [(key, weight)]
        while len(expected) > MOST or (len(expected) > 1 and sum(value for _, value in expected) > HEAVIEST):
            del expected[0]
        assert len(recent) == len(expected)
        assert {key: recent.get(key) for key, _ in expected} == dict(expected)
    assert recent.get(b"other") is None


def test_blocks_full_of_transactions_do_not_pile_up() -> None:
    """1,024 blocks of 10,000 transactions would be gigabytes."""
    recent: Recent[list[int]] = Recent(1024, len, 32_768)
    for number in range(100):
        recent.put(bytes([number]), [0] * 10_000)
    assert len(recent) == 3
