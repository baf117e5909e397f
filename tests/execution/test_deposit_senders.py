"""Who may send a deposit (specs protocol/deposits.md, "Execution")."""

import pytest

from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork
from rollup.protocol.predeploys import GAS_PRICE_ORACLE
from rollup.protocol.primitives import EMPTY_CODE_HASH
from rollup.protocol.transaction import deposit_transaction
from tests.execution.blocks import Layer


@pytest.mark.parametrize(("sender", "has_code"), [(GAS_PRICE_ORACLE, True), (b"\7" * 20, False)])
def test_a_deposits_sender_may_have_code(sender, has_code):
    # spec: deposit.no-eoa-check
    layer = Layer.activating(Fork.JOVIAN)
    account = layer.chain.state_at(layer.chain.head.hash).account(sender)
    assert (account is not None and account.code_hash != EMPTY_CODE_HASH) is has_code
    deposit = deposit_transaction(
        source_hash=b"\1" * 32, sender=sender, to=USERS[0].address, mint=5, value=5, gas_limit=50_000, is_system=False,
        data=b"",
    )  # fmt: skip
    receipt = layer.build([deposit]).executed.receipts[-1]
    assert (receipt.status, receipt.gas_used) == (1, 21_000)
