"""Numbers of things in words: "1 block", "2 blocks"."""


def counted(number: int, one: str, more: str | None = None) -> str:
    """A number with its noun. more: the plural, if it is not formed with an s.

    >>> counted(1, "batch", "batches"), counted(1_000, "text")
    ('1 batch', '1,000 texts')
    """
    return f"{number:,} {one if number == 1 else more or one + 's'}"
