"""A node with a virtual clock and a script of users, whose block hashes it prints.

`python -m tests.node.scripted_run calldata` posts the batches in calldata.
"""

import json
import sys

from rollup.node import Node, NodeParams
from tests.node.node_process import GENESIS_TIME, transfer


def run(seed=7, blocks=14, **options):
    """Hashes of both layers and the verifier's safe head, after transfers, a deposit's worth of L1 traffic, batches."""
    params = NodeParams(seed=seed, genesis_time=GENESIS_TIME, virtual_clock=True, **options)
    node = Node.open(params)
    try:
        for round_ in range(3):
            for user in range(5):
                node.l2.pool.add(transfer(901, user, round_, value=seed).encode())
            node.l1.pool.add(transfer(900, 6, round_).encode())
            node.run_until_safe(node.safe_head.number + blocks // 3)
        verified = node.verifier.derivation.safe_head
        return {
            "l1": _hashes(node.l1.chain),
            "l2": _hashes(node.l2.chain),
            "verified": [verified.number, verified.hash.hex()],
        }
    finally:
        node.close()


def _hashes(chain):
    return [chain.canonical_hash(number).hex() for number in range(chain.head.number + 1)]


if __name__ == "__main__":
    json.dump(run(da=sys.argv[1]), sys.stdout)
