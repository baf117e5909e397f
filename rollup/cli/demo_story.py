"""The demo, step by step: a DataNet, a model, inferences, a claim, and the accounts at the end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import click
from coincurve import PrivateKey
from eth_account import Account
from hexbytes import HexBytes
from rich.markup import escape
from web3 import Web3
from web3.types import TxReceipt

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile.audit import owed_scaled
from attribution_precompile.client import Attestation, AttributionClient, Price, Split, sign_attestation
from attribution_precompile.influence import Corpus, tokenize
from rollup.cli.counted import counted
from rollup.cli.demo_texts import DataSet
from rollup.json_names import camel_case
from rollup.protocol.accounts import USERS, DevAccount
from rollup.protocol.call import Call
from rollup.protocol.primitives import keccak256
from rollup.protocol.transaction import Transaction

OWNER, ATTRIBUTOR, PAYERS = USERS[0], USERS[1], USERS[2:7]
PRICE = Price(per_call=10**16, per_kilo_input=10**15, per_kilo_output=4 * 10**15)
SPLIT = Split(owner_bps=3_000, lineage_bps=0, data_bps=7_000)
_GAS_LIMIT = 1_500_000
_TIP = 10**6  # wei per gas
_POLL_SECONDS, _PATIENCE_SECONDS = 0.25, 300.0
_WEI = (
    "fees",
    "platform",
    "owner",
    "executionFee",
    "l1Fee",
    "operatorFee",
    "paidBefore",
    "balanceChange",
    "owedChangeScaled",
)
Say = Callable[[str], None]


@dataclass(slots=True)
class Earned:
    """One contributor's row; amounts in wei."""

    name: str
    address: str
    units: int
    credited: int = 0
    claimed: int = 0


@dataclass(slots=True)
class DemoResult:
    """The accounts of a demo; amounts in wei, exact."""

    inferences: int
    attested: int
    fees: int = 0
    model_id: int = 0
    platform_bps: int = 0  # the platform's share of each fee
    platform: int = 0
    owner: int = 0
    contributors: list[Earned] = field(default_factory=list)
    execution_fee: int = 0  # what the senders paid for execution
    l1_fee: int = 0
    operator_fee: int = 0
    paid_before: int = 0  # of the claim, what earlier models had earned
    balance_change: int = 0  # of the precompile's account
    owed_change_scaled: int = 0  # of what it owes, in 2^-64 wei
    block: int = 0
    block_hash: str = ""
    state_root: str = ""
    verifier_root: str | None = None

    @property
    def claimed(self) -> int:
        """Wei paid out."""
        return sum(row.claimed for row in self.contributors)

    @property
    def gas(self) -> int:
        """The wei that payers paid in addition to the fees."""
        return self.execution_fee + self.l1_fee + self.operator_fee

    @property
    def in_pool(self) -> int:
        """Wei of the fees that no one can claim yet: fractions, less than one wei per contributor."""
        return self.fees - self.platform - self.owner - sum(row.credited for row in self.contributors)

    @property
    def is_conserved(self) -> bool:
        """Whether income equals debts plus payouts, to 2^-64 wei, and the rows sum up to it."""
        left = self.fees - self.claimed - self.paid_before
        is_whole = 0 <= self.in_pool <= len(self.contributors) + 2
        return self.balance_change == left and self.owed_change_scaled == left << 64 and is_whole

    def to_json(self) -> dict[str, Any]:
        """The accounts for a program: camelCase names, wei as decimal strings."""
        found: dict[str, Any] = {camel_case(name): value for name, value in asdict(self).items()}
        for name in _WEI:
            found[name] = str(found[name])
        for row in found["contributors"]:
            row |= {name: str(row[name]) for name in ("credited", "claimed")}
        return found | {"conserved": self.is_conserved, "verified": self.is_verified}

    @property
    def is_verified(self) -> bool:
        """Whether the verifier has the same state root at the last inference's block."""
        return self.verifier_root == self.state_root


class Demo:
    """Runs against the L2 endpoint of any openrollup node."""

    def __init__(self, l2: Web3, verifier: Web3 | None, texts: DataSet, say: Say) -> None:
        self._l2 = l2
        self._verifier = verifier
        self._texts = texts
        self._say = say
        self._client = AttributionClient(l2)
        self._chain_id = l2.eth.chain_id

    def run(self, inferences: int) -> DemoResult:
        """Runs the whole demo; raises ClickException when the chain stops answering or refuses."""
        datanet_id, model_id = self._register()
        before, earned = self._books(), self._credits(datanet_id)
        result = DemoResult(inferences, sum(_is_attested(number) for number in range(inferences)))
        result.model_id, result.platform_bps = model_id, self._client.platform()[2]
        self._say(f"sending {counted(inferences, 'inference')} from {len(PAYERS)} payers")
        signed = self._sign_inferences(datanet_id, model_id, inferences)
        for transaction in signed:
            result.fees += transaction.value
        receipts = self._send(signed)
        self._count_gas(result, receipts)
        last = max(receipt["blockNumber"] for receipt in receipts)
        self._say(f"all included, the last in L2 block {last}; waiting until it is safe")
        self._wait_until_safe(last)
        self._collect(result, datanet_id, earned)
        claimed = self._claim(result, datanet_id)
        after = self._books()
        result.balance_change, result.owed_change_scaled = after[0] - before[0], after[1] - before[1]
        result.platform, result.owner = after[2] - before[2], after[3] - before[3]
        self._say("waiting until the claim is safe, and for the verifier")
        self._wait_until_safe(claimed)
        self._verify(result, claimed)
        return result

    # ------------------------------------------------------------ registering
    def _register(self) -> tuple[int, int]:
        owner = Account.from_key(OWNER.private_key)
        datanet_id = self._client.create_datanet(owner, keccak256(self._texts.name.encode()))
        rows = [(text.address, text.units, keccak256(text.content.encode())) for text in self._texts.texts]
        self._client.contribute(owner, datanet_id, rows)
        model_id = self._client.register_model(
            owner,
            [(datanet_id, 1)],
            price=PRICE,
            split=SPLIT,
            attributor=Web3.to_checksum_address(ATTRIBUTOR.address),
        )
        texts = f"{counted(len(rows), 'text')} by {counted(len(self._texts.contributors), 'contributor')}"
        self._say(f"DataNet {datanet_id}: {texts}; model {model_id} learns from it")
        return datanet_id, model_id

    # ------------------------------------------------------------ inferring
    def _sign_inferences(self, datanet_id: int, model_id: int, count: int) -> list[Transaction]:
        """Every other inference with the influence of the texts its answer quotes, attested; the rest by default."""
        corpus = Corpus(self._texts.documents(datanet_id))
        head = self._l2.eth.get_block("latest")
        cap = 2 * head["baseFeePerGas"] + 10**9
        deadline = head["timestamp"] + 3_600
        nonces = {p.address: int(self._l2.eth.get_transaction_count(_checksum(p), "pending")) for p in PAYERS}
        attested = {p.address: self._client.nonce(_checksum(p)) for p in PAYERS}
        signed = []
        for number in range(count):
            payer = PAYERS[number % len(PAYERS)]
            question, answer = self._texts.answer(number)
            sizes = len(tokenize(question)), len(tokenize(answer))
            hashes = keccak256(question.encode()), keccak256(answer.encode())
            fee = quote(PRICE, *sizes)
            if _is_attested(number):
                trace = corpus.trace(answer)
                attestation = Attestation(
                    model_id, _checksum(payer), attested[payer.address], deadline, *sizes, *hashes, trace.evidence
                )
                signature = sign_attestation(
                    PrivateKey(ATTRIBUTOR.private_key), attestation, trace.influence, self._chain_id
                )
                attested[payer.address] += 1
                data = self._encode("inferAttested", attestation.as_tuple(), list(trace.influence), signature)
            else:
                data = self._encode("infer", model_id, *sizes, *hashes)
            call = Call(ADDRESS_BYTES, fee, data, _GAS_LIMIT)
            signed.append(call.signed(payer.private_key, nonces[payer.address], self._chain_id, cap, _TIP))
            nonces[payer.address] += 1
        return signed

    def _encode(self, method: str, *arguments: Any) -> bytes:
        text: str = self._client.contract.encode_abi(method, args=list(arguments))
        return bytes.fromhex(text[2:])

    def _send(self, transactions: Sequence[Transaction]) -> list[TxReceipt]:
        for transaction in transactions:
            self._l2.eth.send_raw_transaction(transaction.encode())
        receipts = []
        for transaction in transactions:
            receipt = self._l2.eth.wait_for_transaction_receipt(
                HexBytes(transaction.hash), timeout=_PATIENCE_SECONDS, poll_latency=_POLL_SECONDS
            )
            if receipt["status"] != 1:
                raise click.ClickException(f"inference 0x{transaction.hash.hex()} failed")
            receipts.append(receipt)
        return receipts

    # ------------------------------------------------------------ accounts
    def _count_gas(self, result: DemoResult, receipts: Sequence[Any]) -> None:
        for receipt in receipts:
            gas = receipt["gasUsed"]
            result.execution_fee += gas * receipt["effectiveGasPrice"]
            result.l1_fee += _number(receipt.get("l1Fee"))
            # jovian/exec-engine.md: gas * scalar * 100 + constant
            scalar, constant = _number(receipt.get("operatorFeeScalar")), _number(receipt.get("operatorFeeConstant"))
            result.operator_fee += gas * scalar * 100 + constant

    def _credits(self, datanet_id: int) -> dict[str, int]:
        """Wei that each contributor could claim now, by name; on a used chain also from earlier models."""
        people = self._texts.contributors.items()
        return {name: self._client.claimable(address, [datanet_id]) for name, address in people}

    def _collect(self, result: DemoResult, datanet_id: int, before: dict[str, int]) -> None:
        """Each contributor's row: how much these inferences added to the amount that it could claim `before`."""
        after = self._credits(datanet_id)
        for name, address in self._texts.contributors.items():
            units, _ = self._client.member(datanet_id, address)
            result.contributors.append(Earned(name, address, units, after[name] - before[name]))

    def _claim(self, result: DemoResult, datanet_id: int) -> int:
        """Pays the first contributor out; the owner pays the gas. Returns the block number."""
        row = result.contributors[0]
        address = Web3.to_checksum_address(row.address)
        before = self._l2.eth.get_balance(address)
        receipt = self._client.send(Account.from_key(OWNER.private_key), "claimFor", address, [datanet_id])
        paid = self._l2.eth.get_balance(address) - before
        # The claim pays everything that is due; what earlier models earned is not of these accounts.
        row.claimed = row.credited
        result.paid_before = paid - row.credited
        self._say(f"{escape(row.name)} is paid {paid / 10**18:.6f} OPEN")
        return receipt["blockNumber"]

    def _books(self) -> tuple[int, int, int, int]:
        """The precompile's balance, its debts in 2^-64 wei, and the credits of treasury and owner, at one block."""
        block = self._l2.eth.block_number
        at = Web3.to_checksum_address(ADDRESS_BYTES)
        _, treasury, _ = self._client.platform()
        owner = _checksum(OWNER)
        people = {int(item, 16) for item in (*self._texts.contributors.values(), treasury, owner)}
        people |= {int.from_bytes(payer.address, "big") for payer in PAYERS}

        def storage(slot: int) -> int:
            return int.from_bytes(self._l2.eth.get_storage_at(at, slot, block), "big")

        balance = self._l2.eth.get_balance(at, block)
        credits = [self._client.claimable(who, []) for who in (treasury, owner)]
        return balance, owed_scaled(storage, people), credits[0], credits[1]

    # ------------------------------------------------------------ waiting
    def _wait_until_safe(self, number: int) -> None:
        self._wait(lambda: _block_number(self._l2, "safe") >= number, f"L2 block {number} to be safe")

    def _verify(self, result: DemoResult, number: int) -> None:
        block = self._l2.eth.get_block(number)
        result.block, result.block_hash = number, block["hash"].to_0x_hex()
        result.state_root = block["stateRoot"].to_0x_hex()
        verifier = self._verifier
        if verifier is None:
            return
        self._wait(lambda: _block_number(verifier, "safe") >= number, "the verifier")
        result.verifier_root = verifier.eth.get_block(number)["stateRoot"].to_0x_hex()

    @staticmethod
    def _wait(is_done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not is_done():
            if time.monotonic() > deadline:
                raise click.ClickException(f"waited {_PATIENCE_SECONDS:.0f} s for {what}")
            time.sleep(_POLL_SECONDS)


def _is_attested(number: int) -> bool:
    """Every payer's second inference carries an attestation."""
    return bool(number // len(PAYERS) % 2)


def quote(price: Price, input_tokens: int, output_tokens: int) -> int:
    """The fee of one inference, in wei (docs/attribution-calls.md, `quote`)."""
    return price.per_call + price.per_kilo_input * input_tokens // 1000 + price.per_kilo_output * output_tokens // 1000


def _block_number(web3: Web3, tag: Any) -> int:
    number: int = web3.eth.get_block(tag)["number"]
    return number


def _checksum(account: DevAccount) -> Any:
    return Web3.to_checksum_address(account.address)


def _number(value: Any) -> int:
    """A field web3.py does not know, as it came."""
    return int(value, 16) if isinstance(value, str) else int(value or 0)
