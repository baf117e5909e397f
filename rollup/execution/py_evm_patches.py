"""Every change made to py-evm at run time is here.

Subclassing (rollup/execution/vms) comes first; what cannot be reached that way is patched, with the reason.
"""

import logging


def apply_patches() -> None:
    """Applies all patches; calling it again changes nothing."""
    _quiet_debug_logging()


def _quiet_debug_logging() -> None:
    """py-evm asks its loggers at every message whether they show DEBUG2; a fixed level answers from the cache."""
    logging.getLogger("eth").setLevel(logging.WARNING)
