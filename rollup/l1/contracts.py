"""The addresses and the ABI of the rollup's contracts on the mock L1."""

from typing import Any, Final

from rollup.execution.contract_artifact import ContractArtifact, load_artifact
from rollup.protocol.primitives import Address


def _l1_contract(suffix: str) -> Address:
    return bytes.fromhex("90" + suffix.rjust(38, "0"))


# Proxies; their implementations are at 0xc0D3…XXXX (rollup.execution.contract_artifact.implementation_address).
OPTIMISM_PORTAL: Final = _l1_contract("01")
SYSTEM_CONFIG: Final = _l1_contract("02")
L2_OUTPUT_ORACLE: Final = _l1_contract("03")
SUPERCHAIN_CONFIG: Final = _l1_contract("04")
PROXY_ADMIN: Final = _l1_contract("18")

# A plain address without code: batches are transactions to it.
BATCH_INBOX: Final[Address] = bytes.fromhex("ff00000000000000000000000000000000000901")

NAMES: Final[dict[Address, str]] = {
    OPTIMISM_PORTAL: "OptimismPortal",
    SYSTEM_CONFIG: "SystemConfig",
    L2_OUTPUT_ORACLE: "L2OutputOracle",
    SUPERCHAIN_CONFIG: "SuperchainConfig",
    PROXY_ADMIN: "ProxyAdmin",
}


def artifact(name: str) -> ContractArtifact:
    """A compiled L1 contract by its Solidity name. Raises FileNotFoundError for an unknown one."""
    return load_artifact("rollup.l1", name)


def abi(name: str) -> list[dict[str, Any]]:
    """The JSON ABI of an L1 contract by its Solidity name."""
    return artifact(name).abi
