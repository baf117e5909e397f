"""Packs L2 blocks into one channel, and a closed channel into frames.

Formats: specs protocol/derivation.md, "Channel Format" and "Frame Format"; span batches: specs protocol/delta.
"""

_MAX_RLP_BYTES = 10_000_000  # specs protocol/derivation.md, MAX_RLP_BYTES_PER_CHANNEL
_MAX_RLP_BYTES_FJORD = 100_000_000
