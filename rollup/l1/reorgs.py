"""What the blocks of a reorganisation of the mock L1 can hold."""

from typing import Final

# Nothing, the transactions of the blocks that they replace, or those without batches.
CONTENTS: Final = ("empty", "same", "without-batches")
