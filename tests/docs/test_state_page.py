"""docs/state.md names every table of a data directory."""

from rollup.execution import log_index
from rollup.l1 import archive
from rollup.node import Node, NodeParams
from rollup.pool import journal
from rollup.store.kv import LmdbStore
from tests.docs.pages import named, page, sections


def test_every_table_has_its_row(tmp_path):
    node = Node.open(NodeParams(data_dir=tmp_path, genesis_time=1_700_000_000, virtual_clock=True, da="calldata"))
    node.run_until_safe(4)
    node.close()
    made = {journal.TABLE, archive._BLOBS, archive._LOOSE, archive._SLOTS, archive._STATE, log_index.LOGS}
    for layer in ("l1", "l2", "verifier"):
        store = LmdbStore.open(tmp_path / layer)
        made |= set(store.stat())
        store.close()
    rows = [row for part in sections(page("state.md")) if part.title == "On disk" for row in part.rows]
    assert {name for row in rows for name in named(row[0])} == made
