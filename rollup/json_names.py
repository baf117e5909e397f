"""The names of `--json`: one convention for every command."""


def camel_case(name: str) -> str:
    """A Python name as JSON has it.

    >>> camel_case("l1_block"), camel_case("verifier_equal")
    ('l1Block', 'verifierEqual')
    """
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
