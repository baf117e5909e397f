"""docs/anvil.md has a row per cheat, and says what the product's own tables of methods say."""

import pytest

from rollup.serve import PORTS, NodeServers
from tests.docs.pages import page
from tests.external.anvil_methods import ABSENT, OTHERS, OURS, of_a_node, rows_of
from tests.node.test_snapshots import open_node

ROWS = rows_of(page("anvil.md"))


def test_every_cheat_has_its_row():
    assert ROWS.keys() == OURS | OTHERS


def test_every_method_that_the_page_lists_exists():
    node = open_node()
    servers = NodeServers(node, dict.fromkeys(PORTS, 0), "127.0.0.1").rpc_servers
    node.close()
    for column, layer in ((1, "l1"), (2, "l2")):
        there = {name for name, cells in ROWS.items() if cells[column] != ABSENT}
        assert there == {name for name in ROWS if name in servers[layer].names}


@pytest.mark.slow
@pytest.mark.parametrize(("column", "layer"), [(1, "l1"), (2, "l2")])
def test_a_node_answers_what_the_page_says(column, layer):
    found = of_a_node(layer)
    for name, cells in ROWS.items():
        assert found[name].startswith(cells[column].removesuffix("…")), name
