"""Why a transaction or a block is refused."""


class InvalidTransaction(ValueError):
    """A transaction that may not be in this block; the state is as if it had never been tried. Texts are geth's."""


class ExecutionInterrupted(InvalidTransaction):
    """Execution took longer than whoever asked for it waits. Never in a block that others made."""


class InvalidBlock(ValueError):
    """A block that is not what its header says: the field, what it should be, what it is."""

    def __init__(self, field: str, expected: object, got: object) -> None:
        super().__init__(f"invalid {field}: {_text(got)}, expected {_text(expected)}")
        self.field = field
        self.expected = expected
        self.got = got


def _text(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
