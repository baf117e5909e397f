"""The answers of open_ as JSON.

Every number is a 0x quantity, amounts in wei, times in Unix seconds; hashes and addresses are data; null means that
there is no value.
"""

from typing import Any

from rollup.index.audit import Audit
from rollup.index.credits import Credit, unpack_weights
from rollup.index.earnings import DatanetEarnings, Earnings, ModelEarnings
from rollup.index.history import Replay
from rollup.index.inferences import InferenceRecord, Share, TransactionRecord
from rollup.index.registry import Terms
from rollup.index.rows import DatanetRow, FlowRow, MemberRow, ModelRow
from rollup.index.usage import UsageStep
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId
from rollup.protocol.primitives import ZERO_ADDRESS, Address
from rollup.rpc.formats import hex_data, hex_quantity
from rollup.rpc.open_batches import Carrier

_MASK_32, _MASK_160 = (1 << 32) - 1, (1 << 160) - 1


def model_json(model_id: int, row: ModelRow, terms: Terms, ancestors: list[int]) -> dict[str, Any]:
    """A model. `attributor` is the owner where none is set; `lineage` the ancestors, nearest first."""
    return {
        "modelId": hex_quantity(model_id),
        "owner": hex_data(row.owner),
        "attributor": hex_data(row.owner if terms.attributor == ZERO_ADDRESS else terms.attributor),
        "baseModelId": hex_quantity(row.base) if row.base else None,
        "lineage": [hex_quantity(ancestor) for ancestor in ancestors],
        "metadata": hex_data(row.metadata),
        "price": {
            "perCall": hex_quantity(terms.per_call),
            "perKiloInput": hex_quantity(terms.per_kilo_input),
            "perKiloOutput": hex_quantity(terms.per_kilo_output),
        },
        "split": {
            "ownerBps": hex_quantity(row.owner_bps),
            "lineageBps": hex_quantity(row.lineage_bps),
            "dataBps": hex_quantity(row.data_bps),
        },
        "weights": [
            {"datanetId": hex_quantity(datanet), "weight": hex_quantity(weight)}
            for datanet, weight, _ in unpack_weights(row.weights)
        ],
        "inferences": hex_quantity(row.inferences),
        "revenue": hex_quantity(row.revenue),
        "lastTime": hex_quantity(row.last_time) if row.inferences else None,
        "history": hex_data(terms.history),
        "training": hex_data(terms.training),
    }


def datanet_json(
    datanet_id: int, row: DatanetRow, unsettled_scaled: int, flows: list[tuple[int, FlowRow]]
) -> dict[str, Any]:
    """A DataNet. `paid` came into its pool, `settled` left it to members' credit, `pending` is theirs and in it."""
    return {
        "datanetId": hex_quantity(datanet_id),
        "curator": hex_data(row.curator),
        "metadata": hex_data(row.metadata),
        "totalUnits": hex_quantity(row.units),
        "members": hex_quantity(row.members),
        "contributions": hex_quantity(row.contributions),
        "paid": hex_quantity(row.paid),
        "settled": hex_quantity(row.settled),
        "pending": hex_quantity(unsettled_scaled >> 64),
        "models": [
            {
                "modelId": hex_quantity(model),
                "paid": hex_quantity(flow.amount),
                "payments": hex_quantity(flow.payments),
            }
            for model, flow in flows
        ],
    }


def contributor_json(account: Address, member: MemberRow, earned: DatanetEarnings) -> dict[str, Any]:
    """A contributor of a DataNet; `credited` is `direct` and `settled` together."""
    return {
        "account": hex_data(account),
        "contributions": hex_quantity(member.contributions),
        **_earned_json(earned),
    }


def _earned_json(earned: DatanetEarnings) -> dict[str, Any]:
    return {
        "units": hex_quantity(earned.units),
        "direct": hex_quantity(earned.direct),
        "settled": hex_quantity(earned.settled),
        "credited": hex_quantity(earned.direct + earned.settled),
        "pending": hex_quantity(earned.pending),
    }


def inference_summary_json(record: InferenceRecord, block: BlockId, transaction: TransactionRecord) -> dict[str, Any]:
    """An inference without its credits."""
    event = record.event
    request, response, evidence = event.hashes
    return {
        "modelId": hex_quantity(event.model),
        "inferenceId": hex_quantity(event.inference),
        "count": hex_quantity(event.count),
        "payer": hex_data(event.payer),
        "fee": hex_quantity(event.fee),
        "isSelfPaid": record.is_self_paid,
        "inputTokens": hex_quantity(event.input_tokens),
        "outputTokens": hex_quantity(event.output_tokens),
        "requestHash": hex_data(request),
        "responseHash": hex_data(response),
        "evidence": hex_data(evidence),
        "influence": influence_json(event.influence),
        "timestamp": hex_quantity(record.time),
        "transactionHash": hex_data(transaction.hash),
        "transactionIndex": hex_quantity(transaction.place),
        "blockNumber": hex_quantity(block.number),
        "blockHash": hex_data(block.hash),
        "gas": gas_json(transaction.gas_used, transaction.execution, transaction.l1, transaction.operator),
    }


def influence_json(packed: bytes) -> list[dict[str, Any]]:
    """The entries of an influence vector; contributor null is the DataNet's pool."""
    words = [int.from_bytes(packed[at : at + 32], "big") for at in range(0, len(packed), 32)]
    return [
        {
            "datanetId": hex_quantity(word >> 192),
            "weight": hex_quantity(word >> 160 & _MASK_32),
            "contributor": hex_data((word & _MASK_160).to_bytes(20, "big")) if word & _MASK_160 else None,
        }
        for word in words
    ]


def gas_json(gas_used: int | None, execution: int, l1: int, operator: int) -> dict[str, Any]:
    """The fees that the sender paid in addition to the inference fee, in wei of OPEN."""
    result = {
        "execution": hex_quantity(execution),
        "l1Data": hex_quantity(l1),
        "operatorFee": hex_quantity(operator),
        "total": hex_quantity(execution + l1 + operator),
    }
    return result if gas_used is None else {"gasUsed": hex_quantity(gas_used)} | result


def credit_json(credit: Credit, depth: int, members: int, shares: list[Share]) -> dict[str, Any]:
    """A credit. `depth` counts from the model asked (0) down the lineage; `shares` are a pool's members then."""
    result: dict[str, Any] = {
        "role": credit.role,
        "modelId": hex_quantity(credit.model),
        "depth": hex_quantity(depth),
        "account": None if credit.account is None else hex_data(credit.account),
        "datanetId": None if credit.datanet is None else hex_quantity(credit.datanet),
        "amount": hex_quantity(credit.amount),
    }
    if credit.role == "pool":
        result["members"] = hex_quantity(members)
        result["shares"] = [
            {
                "account": hex_data(share.account),
                "units": hex_quantity(share.units),
                "amount": hex_quantity(share.amount),
            }
            for share in shares
        ]
    return result


def block_id_json(block: BlockId) -> dict[str, Any]:
    """A block of L1."""
    return {"hash": hex_data(block.hash), "number": hex_quantity(block.number)}


def carrier_json(carrier: Carrier) -> dict[str, Any]:
    """The L1 transactions that carried a block: one, or as many as its channel has."""
    return {
        "transactionHash": hex_data(carrier.transactions[-1][0]),
        "l1Block": block_id_json(carrier.included_in),
        "channelId": hex_data(carrier.channel_id),
        "transactions": [
            {"transactionHash": hex_data(tx_hash), "l1Block": block_id_json(block)}
            for tx_hash, block in carrier.transactions
        ],
    }


def earnings_json(account: Address, earned: Earnings) -> dict[str, Any]:
    """An account's earnings. `claimable` is the amount that it could claim now: its credit and the pending amounts."""
    return {
        "account": hex_data(account),
        "credited": hex_quantity(earned.credited),
        "pending": hex_quantity(earned.pending),
        "claimed": hex_quantity(earned.claimed),
        "refunded": hex_quantity(earned.refunded),
        "credit": hex_quantity(earned.credit),
        "claimable": hex_quantity(earned.credit + earned.pending),
        "byModel": [_by_model_json(model) for model in earned.models],
        "byDatanet": [{"datanetId": hex_quantity(item.datanet), **_earned_json(item)} for item in earned.datanets],
    }


def _by_model_json(model: ModelEarnings) -> dict[str, Any]:
    return {
        "modelId": hex_quantity(model.model),
        "total": hex_quantity(sum(model.roles.values())),
        "roles": {role: hex_quantity(amount) for role, amount in sorted(model.roles.items())},
    }


def usage_json(step: UsageStep) -> dict[str, Any]:
    """One step of open_usage."""
    return {
        "from": hex_quantity(step.start),
        "to": hex_quantity(step.end),
        "inferences": hex_quantity(step.inferences),
        "payers": hex_quantity(len(step.payers)),
        "revenue": hex_quantity(step.revenue),
        "gas": gas_json(None, step.execution, step.l1, step.operator),
        "selfPaid": hex_quantity(step.self_paid),
        "selfPaidInferences": hex_quantity(step.self_paid_inferences),
        "selfPaidBps": hex_quantity(step.self_paid_bps),
    }


def audit_json(block: Block, result: Audit) -> dict[str, Any]:
    """The books. Pools are in 2^-64 wei, as storage has them."""
    return {
        "blockNumber": hex_quantity(block.number),
        "blockHash": hex_data(block.hash),
        "isConserved": result.is_conserved,
        "received": hex_quantity(result.received),
        "claimed": hex_quantity(result.claimed),
        "balance": hex_quantity(result.balance),
        "owed": hex_quantity(-(-result.owed_scaled >> 64)),
        "unowned": hex_quantity(max(result.balance - (-(-result.owed_scaled >> 64)), 0)),
        "credits": hex_quantity(result.credits),
        "escrow": hex_quantity(result.escrow),
        "poolsPendingScaled": hex_quantity(result.pending_scaled),
        "poolsRemainderScaled": hex_quantity(result.remainder_scaled),
        "counted": {
            "accounts": hex_quantity(result.accounts),
            "memberships": hex_quantity(result.memberships),
            "datanets": hex_quantity(result.datanets),
            "models": hex_quantity(result.models),
            "jobs": hex_quantity(result.jobs),
        },
        "isIndexEqual": not result.difference_count,
        "differences": result.differences,
        "differenceCount": hex_quantity(result.difference_count),
    }


def replay_json(model_id: int, block: Block, replay: Replay) -> dict[str, Any]:
    """A replayed history together with the commitments."""
    return {
        "modelId": hex_quantity(model_id),
        "blockNumber": hex_quantity(block.number),
        "blockHash": hex_data(block.hash),
        "isVerified": replay.is_verified,
        "records": hex_quantity(replay.records),
        "inferences": hex_quantity(replay.inferences),
        "revenue": hex_quantity(replay.revenue),
        "history": {"replayed": hex_data(replay.history), "stored": hex_data(replay.stored_history)},
        "trainingSteps": hex_quantity(replay.training_steps),
        "training": {"replayed": hex_data(replay.training), "stored": hex_data(replay.stored_training)},
    }
