"""The Python on the pages that are for users of the packages runs as it is printed."""

import re

import pytest

from tests.docs.pages import page

BLOCKS = [
    (name, block)
    for name in ("sequencer.md",)
    for block in re.findall(r"^```python\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_a_printed_example_runs(name: str, block: str) -> None:
    exec(compile(block, name, "exec"), {})
