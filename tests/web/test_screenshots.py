"""The pictures of docs/studio.md and the README: made here, from a chain that is the same each time.

`SCREENSHOTS=docs/images python -m pytest -m slow tests/web/test_screenshots.py` makes those of the repository again.
"""

import os
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.web.test_access import settled

PICTURES = ("explorer", "transaction", "answer", "studio", "earnings", "usage", "economics", "control")


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_page_is_pictured(chain, visit, tmp_path, name):
    made = next(item for item in chain.rpc("open_listInferences", {}, None, 10)["inferences"] if item["influence"])
    tx = made["transactionHash"]
    route = {"explorer": "", "transaction": f"l2/tx/{tx}", "answer": f"answer/{tx}", "usage": "usage/1"}.get(name, name)
    page = visit(chain, route, viewport={"width": 1120, "height": 760}, reduced_motion="reduce")
    settled(page)
    if name == "control":  # the last picture: heads that move, and a batcher that is stopped and heals
        batcher = page.get_by_role("region", name="Batcher")
        for number in range(14):
            if number in (2, 8):
                batcher.get_by_role("button", name="Stop" if number == 2 else "Start").click()
            chain.step(3)
            page.wait_for_timeout(700)
    page.wait_for_timeout(500)
    target = Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"page-{name}.png"
    page.screenshot(path=target)
    assert 10_000 < target.stat().st_size < 200_000


def test_every_picture_of_the_docs_is_there_and_small():
    for name in PICTURES:
        assert (ROOT / "docs" / "images" / f"page-{name}.png").stat().st_size < 200_000, name
