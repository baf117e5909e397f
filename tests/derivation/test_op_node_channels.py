"""Small channels, sound and broken, with what op-node's own code made of each: recorded by tests/external/channels."""

import base64
import gzip
import json
from pathlib import Path

from tests.external.test_channels import ours

RECORDED = Path(__file__).parent / "op_node_channels.json.gz"


def test_recorded_channels_give_op_nodes_batches() -> None:
    cases = json.loads(gzip.decompress(RECORDED.read_bytes()))["channels"]
    assert sum(bool(case["batches"]) for case in cases) > len(cases) // 4
    for case in cases:
        found = ours(base64.b64decode(case["channel"]), case["limit"])
        assert found == case["batches"], f"seed {case['seed']}"
