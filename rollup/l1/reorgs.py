"""The choices for the contents of the blocks that a reorganisation of the mock L1 makes."""

from typing import Final

# Nothing, the transactions of the blocks that they replace, or those without batches.
CONTENTS: Final = ("empty", "same", "without-batches")
