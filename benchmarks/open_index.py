"""The cost of the attribution index: CPU time and bytes per inference, and the time of each question.

    python -m benchmarks.open_index [--inferences 10000]

Blocks of 250 inferences at default weights (three credits each), made beforehand; the index is then built from them.
"""

import json
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from attribution_precompile import ADDRESS_BYTES, METHODS
from attribution_precompile.abi import encode_words
from benchmarks.command_line import Parser, positive
from rollup.execution.block_builder import BlockBuilder
from rollup.execution.block_context import l2_context
from rollup.execution.chain import Chain
from rollup.execution.config import AttributionConfig, L2Config
from rollup.execution.genesis import L2GenesisParams, build_l2_alloc, build_l2_genesis, genesis_header
from rollup.index.index import Index, genesis_platform
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.transaction import deposit_transaction
from rollup.rpc.open import Open
from rollup.store.kv import MemoryStore

_PEOPLE = [number.to_bytes(20, "big") for number in range(0x1001, 0x1009)]
_TIME, _A_BLOCK, _FEE = 1_700_000_000, 250, 10**15
_SELECTORS = {method.name: method.selector for method in METHODS}


class Scene:
    """A chain whose blocks are made of deposits: no signatures, so that making it takes little."""

    def __init__(self) -> None:
        forks = ForkSchedule.all_at(Fork.ISTHMUS)
        params = L2GenesisParams(
            timestamp=_TIME, chain_id=901, forks=forks, balances=dict.fromkeys(_PEOPLE, 10**27), attribution="native"
        )
        alloc = build_l2_alloc(params)
        self.chain = Chain.open(MemoryStore(), genesis_header(build_l2_genesis(params), forks), alloc)
        self.config = L2Config(901, forks, attribution=AttributionConfig("native", 0))
        self.platform = genesis_platform(alloc[ADDRESS_BYTES].storage)
        self._made = 0

    def block(self, calls: list[tuple[bytes, bytes, int]]) -> None:
        """A block of (sender, calldata, wei); all of them must succeed."""
        head = self.chain.head
        attributes = PayloadAttributes(
            head.timestamp + 2,
            bytes(32),
            bytes(20),
            bytes(32),
            [],
            no_tx_pool=True,
            gas_limit=1_000_000_000,
            eip1559_params=bytes(8),
        )
        context = l2_context(self.config, head.header, attributes)
        builder = BlockBuilder(self.config, context, self.chain.states, lambda number: None)
        builder.begin()
        for sender, data, value in calls:
            self._made += 1
            receipt = builder.apply(
                deposit_transaction(
                    source_hash=self._made.to_bytes(32, "big"),
                    sender=sender,
                    to=ADDRESS_BYTES,
                    mint=None,
                    value=value,
                    gas_limit=3_000_000,
                    is_system=False,
                    data=data,
                )
            )
            if not receipt.status:
                raise SystemExit("a call of the scene failed")
        sealed = builder.seal()
        self.chain.insert(sealed.executed, sealed.staged)
        self.chain.set_head(sealed.executed.block.hash)

    def live(self, inferences: int) -> None:
        """A DataNet, eight members, a model, its inferences."""
        who = _PEOPLE[0]
        self.block([(who, _SELECTORS["createDatanet"] + bytes(32), 0)])
        members = [
            word for person in _PEOPLE for word in (int.from_bytes(person, "big"), 3, int.from_bytes(person, "big"))
        ]
        contribute = _SELECTORS["contribute"] + encode_words(1, 64, len(_PEOPLE), *members)
        # ModelParams: metadata, base, attributor, price (3), split (3), offset of the weights; one weight.
        register = encode_words(32, 0, 0, 0, 7, 0, 0, 3_000, 0, 7_000, 10 * 32, 1, 1, 1)
        self.block([(who, contribute, 0), (who, _SELECTORS["registerModel"] + register, 0)])
        for first in range(0, inferences, _A_BLOCK):
            numbers = range(first, min(first + _A_BLOCK, inferences))
            infer = _SELECTORS["infer"]
            self.block(
                [(_PEOPLE[n % 4], infer + encode_words(1, 10, 20, n + 1, ~n % 2**256), _FEE + n) for n in numbers]
            )


def measure(inferences: int) -> dict[str, Any]:
    """CPU µs and bytes per inference, in memory and on disk; CPU ms per question."""
    scene = Scene()
    scene.live(inferences)
    result: dict[str, Any] = {"inferences": inferences, "python": platform.python_version()}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in (("memory", None), ("disk", Path(folder) / "attribution.sqlite")):
            index = Index(scene.chain, scene.config, scene.platform, path)
            result[f"{name}_us"] = round(_cpu(index.update) / inferences * 1e6, 1)
            if path is not None:
                index.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                result["bytes"] = round(path.stat().st_size / inferences)
                result["questions_ms"] = _questions(Open(index), inferences)
            index.close()
    return result


def _questions(namespace: Open, inferences: int) -> dict[str, float]:
    member = "0x" + _PEOPLE[1].hex()
    asked: list[tuple[str, list[Any]]] = [
        ("open_listModels", []),
        ("open_getInference", [1, inferences // 2]),
        ("open_listInferences", [{"contributor": member}]),
        ("open_earnings", [member]),
        ("open_usage", [1, 0, 2**40]),
        ("open_audit", []),
        ("open_verifyHistory", [1]),
    ]
    return {method: round(_cpu(partial(getattr(namespace, method), given)) * 1e3, 2) for method, given in asked}


def _cpu(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = Parser(prog="benchmarks.open_index", description=__doc__)
    parser.add_argument("--inferences", type=positive, default=10_000, help="how many the index holds")
    print(json.dumps(measure(parser.parse_args(arguments).inferences), indent=1))


if __name__ == "__main__":
    main()
