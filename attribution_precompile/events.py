"""The events of IAttribution.sol: topic 0 of each, as an integer."""

from typing import Final

from sha3 import keccak_256

EVENTS: Final[dict[str, int]] = {}


def _event(signature: str) -> int:
    topic = int.from_bytes(keccak_256(signature.encode()).digest(), "big")
    EVENTS[signature] = topic
    return topic


PLATFORM_SET: Final = _event("PlatformSet(address,address,uint16)")
DATANET_CREATED: Final = _event("DatanetCreated(uint64,address,bytes32)")
CURATOR_TRANSFERRED: Final = _event("CuratorTransferred(uint64,address,address)")
CONTRIBUTED: Final = _event("Contributed(uint64,address,uint96,bytes32)")
UNITS_SET: Final = _event("UnitsSet(uint64,address,uint96,uint96)")
MODEL_REGISTERED: Final = _event("ModelRegistered(uint64,address,uint64,bytes32)")
MODEL_PRICED: Final = _event("ModelPriced(uint64,(uint96,uint96,uint96))")
MODEL_TRANSFERRED: Final = _event("ModelTransferred(uint64,address,address)")
ATTRIBUTOR_SET: Final = _event("AttributorSet(uint64,address)")
TRAINING_RECORDED: Final = _event("TrainingRecorded(uint64,uint64,bytes32,bytes32)")
INFERRED: Final = _event(
    "Inferred(uint64,uint64,address,uint256,uint32,uint64,uint64,bytes32,bytes32,bytes32,uint256[])"
)
JOB_REQUESTED: Final = _event("JobRequested(uint64,uint64,address,uint256,bytes32,uint64)")
JOB_SETTLED: Final = _event("JobSettled(uint64,uint64,uint64,uint256,uint256)")
JOB_CANCELLED: Final = _event("JobCancelled(uint64,uint256)")
CLAIMED: Final = _event("Claimed(address,address,uint256)")
