"""Methods of op-node, op-geth and ethereum/execution-apis that this node does not have, each with the reason.

A call of one of them is answered like a call of an unknown method: -32601. docs/rpc.md lists them ("Not there"), and
no method can be declared that is listed here.
"""

from collections.abc import Mapping
from typing import Final

NO_GOSSIP: Final = "there is no gossip between nodes, and no conductor"
NO_INTEROP: Final = "interop is not built"
AMSTERDAM: Final = "belongs to Amsterdam, a fork of L1 that no OP Stack fork includes; op-geth does not have it either"
NO_BLOBS: Final = "reads the blobs of an execution client's own pool; an L2 has none, and op-node does not ask for them"
TRANSITION: Final = "deprecated since the merge; geth has removed it"

# By method, in the order of the page.
ABSENT: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("admin_postUnsafePayload", "admin_overrideLeader", "opp2p_self", "opp2p_peers", "opp2p_peerStats"), NO_GOSSIP
    ),
    "optimism_dependencySet": NO_INTEROP,
    **dict.fromkeys(
        (
            "engine_forkchoiceUpdatedV4",
            "engine_forkchoiceUpdatedV5",
            "engine_getPayloadV6",
            "engine_newPayloadV5",
            "engine_newPayloadV6",
            "engine_getPayloadBodiesByHashV2",
            "engine_getPayloadBodiesByRangeV2",
            "engine_getInclusionListV1",
            "eth_getBlockAccessList",
            "debug_getRawBlockAccessList",
        ),
        AMSTERDAM,
    ),
    **dict.fromkeys(
        ("engine_getBlobsV1", "engine_getBlobsV2", "engine_getBlobsV3", "engine_getBlobsV4"),
        NO_BLOBS,
    ),
    "engine_exchangeTransitionConfigurationV1": TRANSITION,
}
