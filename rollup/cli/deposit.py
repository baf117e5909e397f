"""`openrollup deposit`: moves OPEN from L1 to L2, and waits until it has arrived."""

import time
from typing import Any

import click
from web3.types import TxReceipt

from rollup.cli.attribution_session import hexed, open_amount
from rollup.cli.attribution_values import ADDRESS, AMOUNT, UINT64
from rollup.cli.bridge import Bridge, find_receipt, interrupted_note, with_bridge
from rollup.protocol.deposits import TRANSACTION_DEPOSITED, decode_deposit_log
from rollup.protocol.primitives import Hash
from rollup.protocol.receipt import Log


@click.command("deposit")
@click.argument("amount", type=AMOUNT)
@click.option("--to", type=ADDRESS, help="Recipient on L2.  [default: the sender]")
@click.option("--gas", default=100_000, show_default=True, type=UINT64, help="Gas of the transaction on L2.")
@with_bridge
def command(amount: int, to: str | None, gas: int, bridge: Bridge) -> None:
    """Deposit AMOUNT (wei, 5gwei, 1.5open) from L1 to L2.

    The deposit runs in the first L2 block whose L1 origin is the deposit's L1 block, or a later one.
    """
    started = time.monotonic()
    receiver = to or bridge.account.address
    call = bridge.portal.functions.depositTransaction(receiver, amount, gas, False, b"")
    on_l1 = bridge.send(bridge.l1, call, amount)
    l2_hash = hexed(deposit_hash(on_l1, bytes.fromhex(bridge.portal.address[2:])))
    number = on_l1["blockNumber"]
    with interrupted_note(bridge, f"the deposit arrives by itself as L2 transaction {l2_hash}"):
        on_l2 = bridge.step(
            f"an L2 block with L1 origin {number}",
            lambda: find_receipt(bridge.l2, l2_hash),
            detail=lambda: f"L2 is at block {bridge.l2.eth.block_number}, transaction {l2_hash}",
        )
    if on_l2["status"] != 1:
        raise click.ClickException(f"the deposit arrived as {l2_hash} and failed there; what it minted is the sender's")
    result: dict[str, Any] = {
        "l1Transaction": hexed(on_l1["transactionHash"]),
        "l1Block": number,
        "l2Transaction": l2_hash,
        "l2Block": on_l2["blockNumber"],
        "to": receiver,
        "amount": str(amount),
        "seconds": round(time.monotonic() - started, 1),
    }
    bridge.show(
        result,
        [
            f"deposited {open_amount(amount)} to {receiver} in {result['seconds']} s",
            f"L1 transaction {result['l1Transaction']} in block {number}",
            f"L2 transaction {l2_hash} in block {on_l2['blockNumber']}",
        ],
    )


def deposit_hash(receipt: TxReceipt, portal: bytes) -> Hash:
    """The hash of the L2 transaction that a deposit's L1 receipt announces (specs protocol/deposits.md)."""
    for log in receipt["logs"]:
        topics = tuple(bytes(topic) for topic in log["topics"])
        if bytes.fromhex(log["address"][2:]) == portal and topics and topics[0] == TRANSACTION_DEPOSITED:
            found = Log(portal, topics, bytes(log["data"]))
            return decode_deposit_log(found, bytes(log["blockHash"]), log["logIndex"]).hash
    raise click.ClickException(f"{hexed(receipt['transactionHash'])} deposits nothing: is --portal the chain's?")
