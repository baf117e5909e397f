"""All changes to py-evm, and to the code that it calls, at run time.

Prefer subclassing (rollup/execution/vms). Code that a subclass cannot reach is patched here, with the reason.
"""

import logging

from eth_hash.auto import keccak
from eth_hash.backends import pysha3


def apply_patches() -> None:
    """Applies all patches; calling it again changes nothing."""
    _quiet_debug_logging()
    use_fast_keccak()


def use_fast_keccak() -> None:
    """eth-hash takes pycryptodome when both are installed, at 4 µs a hash; safe-pysha3 takes 0.8."""
    keccak.hasher = pysha3.keccak256


def _quiet_debug_logging() -> None:
    """py-evm asks its loggers at every message whether they show DEBUG2; a fixed level answers from the cache."""
    logging.getLogger("eth").setLevel(logging.WARNING)
