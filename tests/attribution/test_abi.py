"""A9 and the codec: what solc's decoder accepts is accepted, what it refuses is refused, at the cost of the words."""

import time
from itertools import pairwise

import pytest
from eth_abi import encode

from attribution_precompile import METHODS, SELECTORS, explain
from attribution_precompile.abi import decode_array, encode_words, locate_tuple
from attribution_precompile.errors import ERRORS
from attribution_precompile.events import EVENTS
from attribution_precompile.layout import LAYOUT
from attribution_precompile.twin import ABI, STORAGE_LAYOUT

from . import calls
from .harness import MODES, Evm
from .scene import VALID, build

HUGE = [2**64 - 1, 2**64, 2**255, 2**256 - 1, 2**256 - 32, 2**256 - 4]


@pytest.fixture(params=MODES)
def evm(request: pytest.FixtureRequest) -> Evm:
    return build(request.param)


def _flat(types: list[str]) -> list[str]:
    """The words of a static head, one type each; a dynamic type is its offset."""
    words = []
    for kind in types:
        if kind.endswith("]") or kind == "bytes":
            words.append("offset")
        elif kind.startswith("("):
            words += _flat(kind[1:-1].split(",")) if "[" not in kind else ["offset"]
        else:
            words.append(kind)
    return words


def _bits(kind: str) -> int:
    if kind.startswith("uint"):
        return int(kind[4:])
    return {"address": 160}.get(kind, 256)


def word_widths(name: str) -> list[tuple[int, int]]:
    """Position and width in bits of each typed word of a method's valid call, array items included."""
    if name == "inferCompact":
        return []
    widths = [(4 + 32 * i, _bits(kind)) for i, kind in enumerate(_flat(calls.INPUTS[name])) if kind != "offset"]
    if name == "registerModel":
        inner = ["bytes32", "uint64", "address", *["uint96"] * 3, *["uint16"] * 3, "offset"]
        widths = [(36 + 32 * i, _bits(kind)) for i, kind in enumerate(inner) if kind != "offset"]
        widths += [(36 + 320 + 32, 64), (36 + 320 + 64, 32)]
    if name == "contribute":
        widths += [(4 + 96, 160), (4 + 128, 96)]
    if name in ("harvest", "claim", "claimFor", "claimable"):
        widths.append((4 + 96, 64))
    return widths


def test_layout_is_solcs_in_both_directions() -> None:
    types = STORAGE_LAYOUT["types"]

    def rows(members: list[dict[str, object]]) -> list[tuple[str, int, int, int]]:
        return [
            (str(m["label"]), int(str(m["slot"])), int(str(m["offset"])), int(types[str(m["type"])]["numberOfBytes"]))
            for m in members
        ]

    compiled = {"Attribution": rows(STORAGE_LAYOUT["storage"])}
    for entry in types.values():
        if "members" in entry:
            compiled[entry["label"].removeprefix("struct Attribution.")] = rows(entry["members"])
    ours = {
        name: [(field.label, field.slot, field.offset, field.size) for field in fields]
        for name, fields in LAYOUT.items()
    }
    assert ours == compiled


def test_methods_are_the_interfaces_in_both_directions() -> None:
    compiled = {
        f"{entry['name']}({','.join(calls.type_of(p) for p in entry['inputs'])})": entry["stateMutability"]
        for entry in ABI
        if entry["type"] == "function"
    }
    ours = {
        method.signature: "payable" if method.payable else "nonpayable" if method.mutates else "view"
        for method in METHODS
    }
    assert ours == compiled
    assert len(SELECTORS) == len(METHODS)


def test_errors_and_events_are_the_interfaces_in_both_directions() -> None:
    for kind, ours in (("error", {e.signature for e in ERRORS.values()}), ("event", set(EVENTS))):
        compiled = {
            f"{entry['name']}({','.join(calls.type_of(p) for p in entry['inputs'])})"
            for entry in ABI
            if entry["type"] == kind
        }
        assert ours == compiled


def test_explain_reads_every_error() -> None:
    for error in ERRORS.values():
        count = error.signature.count(",") + 1 if not error.signature.endswith("()") else 0
        assert explain(error(*[7 << 224] * count).data).startswith(error.name + "(")
        assert explain(error.selector + bytes(32 * count + 1)).startswith("0x")
    assert explain(b"") == "0x"
    assert explain(b"\x01\x02") == "0x0102"


@pytest.mark.parametrize("name", [m.name for m in METHODS])
def test_a09_truncated_calldata(evm: Evm, name: str) -> None:
    call = VALID[name]
    used = call.data.rstrip(b"\0") if name == "inferAttested" else call.data
    lengths = {len(used) - 1, len(used) - 31, len(used) - 32, (len(used) + 4) // 2, 5, 4}
    for length in lengths:
        if 4 <= length < len(used):
            result = evm.call(call.data[:length], caller=call.caller, value=call.value)
            assert explain(result.output) == "MalformedInput()", length


@pytest.mark.parametrize("name", [m.name for m in METHODS if m.name != "inferCompact"])
def test_trailing_calldata_is_ignored(name: str) -> None:
    call = VALID[name]
    for mode in MODES:
        plain = build(mode).call(call.data, caller=call.caller, value=call.value)
        longer = build(mode).call(call.data + b"\xab" * 61, caller=call.caller, value=call.value)
        assert longer.success
        assert (longer.output, longer.logs) == (plain.output, plain.logs)


def test_infer_compact_is_48_bytes_or_malformed(evm: Evm) -> None:
    data = VALID["inferCompact"].data
    assert len(data) == 48
    for other in (data[:47], data + b"\0", data[:4], data + bytes(1000)):
        result = evm.call(other, caller=VALID["inferCompact"].caller, value=10**18)
        assert explain(result.output) == "MalformedInput()"


DYNAMIC = {
    "contribute": (36, 68),
    "inferBatch": (4 + 5 * 32, 4 + 6 * 32),
    "inferAttested": (4 + 9 * 32, 4 + 11 * 32),
    "settle": (4 + 5 * 32, 4 + 6 * 32),
    "harvest": (4, 68),
    "claim": (4, 68),
    "claimFor": (36, 68),
    "claimable": (36, 68),
    "registerModel": (4, 36 + 320),
}


@pytest.mark.parametrize("name", list(DYNAMIC))
@pytest.mark.parametrize("value", [*HUGE, 10**6])
def test_a09_offset_bombs_and_huge_counts(evm: Evm, name: str, value: int) -> None:
    call = VALID[name]
    root = evm.storage_root()
    started = time.perf_counter()
    for position in DYNAMIC[name]:
        data = call.data[:position] + value.to_bytes(32, "big") + call.data[position + 32 :]
        result = evm.call(data, caller=call.caller, value=call.value)
        assert explain(result.output) == "MalformedInput()", position
        assert result.gas < 10_000
    assert time.perf_counter() - started < 1
    assert evm.storage_root() == root


def test_a09_overlapping_arrays_cost_their_words(evm: Evm) -> None:
    """One array may lie over the head or over another: solc allows it. The count is still bounded by what is there."""
    ids = [1, 2]
    plain = calls.call("claimable", calls.hexed(0x101), ids)
    # The array begins at the second head word: its own offset (32) is read as the count, 32 words are not there.
    overlapping = plain[:36] + (32).to_bytes(32, "big") + plain[68:]
    assert explain(evm.call(overlapping, caller=1).output) == "MalformedInput()"
    enough = overlapping + bytes(32 * 32)
    assert evm.call(enough, caller=1).success
    # inferAttested's influence and signature may share their bytes; the signature is then simply wrong.
    data = VALID["inferAttested"].data
    shared = data[: 4 + 320] + data[4 + 288 : 4 + 320] + data[4 + 352 :]
    assert explain(evm.call(shared, caller=VALID["inferAttested"].caller, value=10**18).output) == "InvalidSignature()"


def test_a09_many_named_datanets_stay_linear(evm: Evm) -> None:
    costs = []
    for count in (0, 200, 400, 600):
        data = calls.call("harvest", [1] * count, calls.hexed(0x101))
        result = evm.copy().call(data, caller=1, gas=30_000_000)
        assert result.success
        costs.append(result.gas)
    # Each further word costs the same (but for the memory the twin copies them to), and at least two warm reads.
    steps = [after - before for before, after in pairwise(costs[1:])]
    assert min(steps) >= 200 * 200
    assert max(steps) - min(steps) < 200 * 10


def test_codec_round_trips_with_an_independent_encoder() -> None:
    rows = [(3, 4), (5, 6)]
    data = bytes(4) + encode(["(uint64,uint32)[]"], [rows])
    assert decode_array(data, 32, (64, 32)) == [list(row) for row in rows]
    assert encode_words(1, 2**256 - 1) == encode(["uint256", "uint256"], [1, 2**256 - 1])
    assert locate_tuple(data, 32, 3) == 36
