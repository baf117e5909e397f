from sequencer.batcher.da import L1Prices, blob_cost, blobs_are_cheaper, calldata_cost, calldata_gas

GWEI = 10**9


def test_calldata_pays_the_eip_7623_floor_when_it_is_higher():
    # 100 bytes that are not zero: standard 21,000 + 1,600, floor 21,000 + 4,000.
    assert calldata_gas(b"\x01" * 100) == 25_000
    assert calldata_gas(bytes(100)) == 22_000
    assert calldata_gas(b"") == 21_000


def test_costs_are_gas_times_price():
    prices = L1Prices(base_fee=9 * GWEI, tip=GWEI, blob_base_fee=3)
    assert calldata_cost([b"\x01" * 100, b""], prices) == (25_000 + 21_000) * 10 * GWEI
    assert blob_cost(6, prices) == 6 * 131_072 * 3 + 21_000 * 10 * GWEI
    assert blob_cost(7, prices) == 7 * 131_072 * 3 + 2 * 21_000 * 10 * GWEI


def test_cheap_blobs_win_and_dear_blobs_lose():
    frame = [b"\x01" * 10_000]  # 400,000 gas above what a blob transaction pays
    assert blobs_are_cheaper(frame, 1, L1Prices(GWEI, GWEI, 1))
    even = 400_000 * 2 * GWEI // 131_072
    assert blobs_are_cheaper(frame, 1, L1Prices(GWEI, GWEI, even))
    assert not blobs_are_cheaper(frame, 1, L1Prices(GWEI, GWEI, even + 1))


def test_a_little_data_goes_as_calldata_once_blobs_have_a_price():
    assert not blobs_are_cheaper([b"\x01" * 200], 1, L1Prices(GWEI, 0, GWEI))
