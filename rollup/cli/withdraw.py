"""`openrollup withdraw`: moves OPEN from L2 to L1 in three steps, each of which can be begun at any time.

The steps read everything from the two chains by the hash of the L2 transaction: nothing is kept between them.
"""

from dataclasses import dataclass
from typing import Any

import click
from hexbytes import HexBytes
from web3 import Web3
from web3.types import BlockData, RPCEndpoint, TxReceipt

from rollup.cli.attribution_session import hexed, open_amount
from rollup.cli.attribution_values import ADDRESS, AMOUNT, HASH, UINT64
from rollup.cli.bridge import Bridge, find_receipt, interrupted_note, with_bridge
from rollup.protocol.outputs import output_root
from rollup.protocol.predeploys import L2_TO_L1_MESSAGE_PASSER
from rollup.protocol.receipt import Log
from rollup.protocol.withdrawals import MESSAGE_PASSED, Withdrawal, decode_message_passed

_PASSER = Web3.to_checksum_address(L2_TO_L1_MESSAGE_PASSER)
_PASSER_ABI: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "initiateWithdrawal",
        "stateMutability": "payable",
        "inputs": [
            {"name": "_target", "type": "address"},
            {"name": "_gasLimit", "type": "uint256"},
            {"name": "_data", "type": "bytes"},
        ],
        "outputs": [],
    }
]


@dataclass(slots=True, frozen=True)
class _Proof:
    """When a withdrawal was proven, in L1's seconds, and against which output."""

    time: int
    index: int


@click.group("withdraw")
def command() -> None:
    """Withdraw OPEN from L2 to L1: start, prove, finalize.

    Every step takes the hash of the L2 transaction that `start` prints. It waits for its condition and shows it. A step
    that is already done says so and changes nothing.
    """


@command.command("start")
@click.argument("amount", type=AMOUNT)
@click.option("--to", type=ADDRESS, help="Recipient on L1.  [default: the sender]")
@click.option("--gas", default=100_000, show_default=True, type=UINT64, help="Gas of the call on L1.")
@with_bridge
def start(amount: int, to: str | None, gas: int, bridge: Bridge) -> None:
    """Burn AMOUNT (wei, 5gwei, 1.5open) on L2 and announce it to L1."""
    receiver = Web3.to_checksum_address(to or bridge.account.address)
    passer = bridge.l2.eth.contract(_PASSER, abi=_PASSER_ABI)
    receipt = bridge.send(bridge.l2, passer.functions.initiateWithdrawal(receiver, gas, b""), amount)
    l2_hash, withdrawal = hexed(receipt["transactionHash"]), _withdrawal(receipt)
    result = {
        "l2Transaction": l2_hash,
        "l2Block": receipt["blockNumber"],
        "withdrawalHash": hexed(withdrawal.hash),
        "to": receiver,
        "amount": str(amount),
    }
    bridge.show(
        result,
        [
            f"started: {open_amount(amount)} to {receiver} on L1, withdrawal {hexed(withdrawal.hash)}",
            f"L2 transaction {l2_hash} in block {receipt['blockNumber']}",
            f"next: openrollup withdraw prove {l2_hash}",
        ],
    )


@command.command("prove")
@click.argument("transaction", metavar="L2-TX", type=HASH)
@with_bridge
def prove(transaction: bytes, bridge: Bridge) -> None:
    """Prove on L1 that the withdrawal of this L2 transaction happened, once an output root covers its block."""
    l2_hash = hexed(transaction)
    receipt, withdrawal = _started(bridge, l2_hash)
    if _is_finalized(bridge, withdrawal) or ((known := _proof(bridge, withdrawal)) is not None and known.time):
        bridge.show({"l2Transaction": l2_hash, "status": "already proven"}, ["proven already, nothing to do"])
        return
    number = receipt["blockNumber"]
    with interrupted_note(bridge, f"openrollup withdraw prove {l2_hash}"):
        bridge.step(
            f"an output root of L2 block {number} or later",
            lambda: True if bridge.oracle.functions.latestBlockNumber().call() >= number else None,
            detail=lambda: _outputs(bridge),
        )
    index = bridge.oracle.functions.getL2OutputIndexAfter(number).call()
    root, _, l2_block = bridge.oracle.functions.getL2Output(index).call()
    proof, nodes = _storage_proof(bridge, withdrawal, l2_block, bytes(root))
    call = bridge.portal.functions.proveWithdrawalTransaction(_tuple(withdrawal), index, proof, nodes)
    on_l1 = bridge.send(bridge.l1, call)
    period = bridge.oracle.functions.FINALIZATION_PERIOD_SECONDS().call()
    result = {
        "l2Transaction": l2_hash,
        "status": "proven",
        "l1Transaction": hexed(on_l1["transactionHash"]),
        "l1Block": on_l1["blockNumber"],
        "outputIndex": index,
        "outputBlock": l2_block,
        "finalizationSeconds": period,
    }
    bridge.show(
        result,
        [
            f"proven against the output root of L2 block {l2_block}",
            f"L1 transaction {result['l1Transaction']} in block {on_l1['blockNumber']}",
            f"next, in {period} s of L1: openrollup withdraw finalize {l2_hash}",
        ],
    )


@command.command("finalize")
@click.argument("transaction", metavar="L2-TX", type=HASH)
@with_bridge
def finalize(transaction: bytes, bridge: Bridge) -> None:
    """Pay the withdrawal of this L2 transaction out on L1, once its proof is old enough."""
    l2_hash = hexed(transaction)
    _, withdrawal = _started(bridge, l2_hash)
    if _is_finalized(bridge, withdrawal):
        bridge.show({"l2Transaction": l2_hash, "status": "already finalized"}, ["finalized already, nothing to do"])
        return
    proof = _proof(bridge, withdrawal)
    if proof is None or not proof.time:
        raise click.ClickException(f"it is not proven yet: openrollup withdraw prove {l2_hash}")
    period = bridge.oracle.functions.FINALIZATION_PERIOD_SECONDS().call()
    due = proof.time + period

    def left() -> int:
        return int(due + 1 - _l1_time(bridge))

    with interrupted_note(bridge, f"openrollup withdraw finalize {l2_hash}"):
        bridge.step(
            f"the finalization period of {period} s",
            lambda: True if left() <= 0 else None,
            detail=lambda: f"{max(left(), 0)} s are left by L1's clock",
        )
    on_l1 = bridge.send(bridge.l1, bridge.portal.functions.finalizeWithdrawalTransaction(_tuple(withdrawal)))
    result = {
        "l2Transaction": l2_hash,
        "status": "finalized",
        "l1Transaction": hexed(on_l1["transactionHash"]),
        "l1Block": on_l1["blockNumber"],
        "to": Web3.to_checksum_address(withdrawal.target),
        "amount": str(withdrawal.value),
    }
    bridge.show(
        result,
        [
            f"finalized: {open_amount(withdrawal.value)} paid to {result['to']} on L1",
            f"L1 transaction {result['l1Transaction']} in block {on_l1['blockNumber']}",
        ],
    )


# ---------------------------------------------------------------- pieces
def _started(bridge: Bridge, l2_hash: str) -> tuple[TxReceipt, Withdrawal]:
    receipt = find_receipt(bridge.l2, l2_hash)
    if receipt is None:
        raise click.ClickException(f"the L2 has no transaction {l2_hash}: `withdraw start` prints the one to give here")
    if receipt["status"] != 1:
        raise click.ClickException(f"transaction {l2_hash} failed on L2: it started no withdrawal")
    return receipt, _withdrawal(receipt)


def _withdrawal(receipt: TxReceipt) -> Withdrawal:
    for log in receipt["logs"]:
        topics = tuple(bytes(topic) for topic in log["topics"])
        if log["address"] == _PASSER and topics and topics[0] == MESSAGE_PASSED:
            return decode_message_passed(Log(L2_TO_L1_MESSAGE_PASSER, topics, bytes(log["data"])))
    raise click.ClickException(f"transaction {hexed(receipt['transactionHash'])} started no withdrawal")


def _tuple(item: Withdrawal) -> tuple[Any, ...]:
    sender, target = Web3.to_checksum_address(item.sender), Web3.to_checksum_address(item.target)
    return item.nonce, sender, target, item.value, item.gas_limit, item.data


def _is_finalized(bridge: Bridge, withdrawal: Withdrawal) -> bool:
    return bool(bridge.portal.functions.finalizedWithdrawals(withdrawal.hash).call())


def _proof(bridge: Bridge, withdrawal: Withdrawal) -> _Proof | None:
    root, timestamp, index = bridge.portal.functions.provenWithdrawals(withdrawal.hash).call()
    return _Proof(timestamp, index) if any(root) else None


def _outputs(bridge: Bridge) -> str:
    latest = bridge.oracle.functions.latestBlockNumber().call()
    following = bridge.oracle.functions.nextBlockNumber().call()
    return f"L1 has the one of {latest}, the next is of {following}, L2 is at {bridge.l2.eth.block_number}"


def _l1_time(bridge: Bridge) -> int:
    return int(bridge.l1.eth.get_block("latest")["timestamp"])


def _storage_proof(
    bridge: Bridge, withdrawal: Withdrawal, number: int, expected: bytes
) -> tuple[tuple[bytes, bytes, bytes, bytes], list[bytes]]:
    """The output's parts and the proof of the withdrawal in it; ClickException when L2 contradicts L1's output."""
    block: BlockData = bridge.l2.eth.get_block(number)
    found = bridge.l2.manager.request_blocking(
        RPCEndpoint("eth_getProof"), [_PASSER, [hexed(withdrawal.slot)], hex(number)]
    )
    parts = bytes(32), bytes(block["stateRoot"]), bytes(HexBytes(found["storageHash"])), bytes(block["hash"])
    if output_root(*parts[1:]) != expected:
        raise click.ClickException(f"L1's output root of L2 block {number} is not this L2's: is --oracle the chain's?")
    return parts, [bytes(HexBytes(node)) for node in found["storageProof"][0]["proof"]]
