"""viem's public and wallet actions on both layers."""

import pytest

from tests.external.conftest import need_package, run_script

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.parametrize("layer", ["l1", "l2"])
def test_every_action_is_answered_as_viem_expects(node, tmp_path, layer):
    said = run_script("viem_actions.mjs", need_package("viem"), node, tmp_path, 300, layer=layer)
    assert len(said) > 40
    assert {name: line["fault"] for name, line in said.items() if line["fault"] is not None} == {}
