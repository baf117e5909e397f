"""The gas schedule: every charge that the precompile or its host makes, in gas (docs/attribution-gas.md).

The host charges the EVM's own prices for storage, logs, account access and value calls (EIP-2200, EIP-2929, EIP-3529).
The precompile charges for input, hashing, signature recovery and output before it does the work.
"""

from typing import Final

INPUT_WORD: Final = 6
OUTPUT_WORD: Final = 3
KECCAK: Final = 30
KECCAK_WORD: Final = 6
ECRECOVER: Final = 3_000

SLOAD_WARM: Final = 100
SLOAD_COLD: Final = 2_100
SSTORE_SENTRY: Final = 2_300
SSTORE_SET: Final = 20_000
SSTORE_RESET: Final = 2_900
SSTORE_CLEARS_REFUND: Final = 4_800

LOG: Final = 375
LOG_TOPIC: Final = 375
LOG_BYTE: Final = 8

ACCOUNT_WARM: Final = 100
ACCOUNT_COLD: Final = 2_600
CALL_VALUE: Final = 9_000
CALL_NEW_ACCOUNT: Final = 25_000
CALL_STIPEND: Final = 2_300

# A mapping's slot is keccak256 of two words (Solidity storage layout).
MAPPING: Final = KECCAK + 2 * KECCAK_WORD

SCHEDULE: Final[tuple[tuple[str, int, str, str], ...]] = (
    ("input, per word", INPUT_WORD, "precompile", "set by this schedule"),
    ("output, per word", OUTPUT_WORD, "precompile", "set by this schedule"),
    ("keccak256", KECCAK, "precompile", "Yellow Paper, appendix G"),
    ("keccak256, per word", KECCAK_WORD, "precompile", "Yellow Paper, appendix G"),
    ("slot of a mapping's entry", MAPPING, "precompile", "keccak256 of two words"),
    ("signature recovery", ECRECOVER, "precompile", "Yellow Paper, appendix E"),
    ("SLOAD, warm", SLOAD_WARM, "host", "EIP-2929"),
    ("SLOAD, cold", SLOAD_COLD, "host", "EIP-2929"),
    ("SSTORE, gas that must remain", SSTORE_SENTRY, "host", "EIP-2200"),
    ("SSTORE, zero to non-zero", SSTORE_SET, "host", "EIP-2200"),
    ("SSTORE, first change", SSTORE_RESET, "host", "EIP-2929"),
    ("SSTORE, later change or no change", SLOAD_WARM, "host", "EIP-2929"),
    ("SSTORE of a cold slot, in addition", SLOAD_COLD, "host", "EIP-2929"),
    ("SSTORE that clears, refund", SSTORE_CLEARS_REFUND, "host", "EIP-3529"),
    ("LOG", LOG, "host", "Yellow Paper, appendix G"),
    ("LOG, per topic", LOG_TOPIC, "host", "Yellow Paper, appendix G"),
    ("LOG, per byte", LOG_BYTE, "host", "Yellow Paper, appendix G"),
    ("account access, warm", ACCOUNT_WARM, "host", "EIP-2929"),
    ("account access, cold", ACCOUNT_COLD, "host", "EIP-2929"),
    ("value call", CALL_VALUE, "host", "Yellow Paper, appendix G"),
    ("value call that creates the account, in addition", CALL_NEW_ACCOUNT, "host", "EIP-161"),
    ("value call, stipend handed to the callee", CALL_STIPEND, "host", "Yellow Paper, appendix G"),
)


def keccak_gas(words: int) -> int:
    """The gas of hashing `words` 32-byte words.

    >>> keccak_gas(2)
    42
    """
    return KECCAK + KECCAK_WORD * words
