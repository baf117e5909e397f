"""The addresses of the accounts that every OP Stack chain has on L2 (specs protocol/predeploys.md,
protocol/deposits.md).
"""

from typing import Final

from rollup.protocol.primitives import Address


def _predeploy(suffix: str) -> Address:
    return bytes.fromhex("42" + suffix.rjust(38, "0"))


WETH9: Final = _predeploy("06")
GAS_PRICE_ORACLE: Final = _predeploy("0f")
SEQUENCER_FEE_VAULT: Final = _predeploy("11")
L1_BLOCK: Final = _predeploy("15")
L2_TO_L1_MESSAGE_PASSER: Final = _predeploy("16")
PROXY_ADMIN: Final = _predeploy("18")
BASE_FEE_VAULT: Final = _predeploy("19")
L1_FEE_VAULT: Final = _predeploy("1a")
OPERATOR_FEE_VAULT: Final = _predeploy("1b")

# Sends the L1 attributes; no key can sign for it.
DEPOSITOR_ACCOUNT: Final[Address] = bytes.fromhex("deaddeaddeaddeaddeaddeaddeaddeaddead0001")

# System contracts of Ethereum, and the deployers of the first two on chains where a later fork deploys them.
BEACON_ROOTS: Final[Address] = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")  # EIP-4788
HISTORY_STORAGE: Final[Address] = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")  # EIP-2935
BEACON_ROOTS_DEPLOYER: Final[Address] = bytes.fromhex("0b799c86a49deeb90402691f1041aa3af2d3c875")
HISTORY_STORAGE_DEPLOYER: Final[Address] = bytes.fromhex("3462413af4609098e1e27a490f554f260213d685")
DEPOSIT_CONTRACT: Final[Address] = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")  # EIP-6110, L1 only
WITHDRAWAL_REQUESTS: Final[Address] = bytes.fromhex("00000961ef480eb55e80d19ad83579a64c007002")  # EIP-7002
CONSOLIDATION_REQUESTS: Final[Address] = bytes.fromhex("0000bbddc7ce488642fb579f8b00f3a590007251")  # EIP-7251

# Preinstalls that tools look for (specs protocol/preinstalls.md).
CREATE2_DEPLOYER: Final[Address] = bytes.fromhex("13b0d85ccb8bf860b6b79af3029fca081ae9bef2")
DETERMINISTIC_DEPLOYMENT_PROXY: Final[Address] = bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c")
MULTICALL3: Final[Address] = bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11")
PERMIT2: Final[Address] = bytes.fromhex("000000000022d473030f116ddee9f6b43ac78ba3")
