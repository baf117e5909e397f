"""A whole rollup in one process: the actors of both layers, and the clock that moves them.

| module | what it does |
|---|---|
| `params` | `NodeParams`: what a user chooses; `NodeError` |
| `actors` | `L1Node`, `L2Node`, `Actors`: what there is |
| `assembly` | makes the actors and connects them |
| `steps` | what one actor does next, on each chain |
| `schedule` | when each step is due, and running until something stops the node |
| `reports` | turns what happened into events |
| `snapshots` | captures and restores all that decides later blocks |
| `dropped` | reports data that derivation dropped |
| `view` | `NodeView`: the node at one moment |
| `node` | `Node`: the actors with their verbs |

    >>> node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000))
    >>> node.run_until_safe(3).number
    5
    >>> node.close()
"""

from rollup.node.actors import L1Node, L2Node
from rollup.node.node import Node
from rollup.node.params import NodeError, NodeParams
from rollup.node.view import NodeView

__all__ = ["L1Node", "L2Node", "Node", "NodeError", "NodeParams", "NodeView"]
