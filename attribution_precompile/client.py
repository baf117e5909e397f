"""Typed helpers for web3.py: influence vectors, attestations, calls, reads, and explained errors.

    client = AttributionClient(Web3(Web3.HTTPProvider("http://localhost:9545")))
    datanet_id = client.create_datanet(account, metadata)
    client.contribute(account, datanet_id, [(contributor, units, content_hash)])

Amounts are wei, times unix seconds, shares basis points. A refused call raises `AttributionError`, whose text explains
the typed error. The node never imports this module.

`alice` and `bob` are accounts of eth_account. Alice curates a DataNet and owns a model; Bob contributes and asks:

>>> datanet = client.create_datanet(alice)
>>> receipt = client.contribute(alice, datanet, [(bob.address, 7, b"\\x0b" * 32)])
>>> receipt = client.set_units(alice, datanet, bob.address, 10)
>>> client.member(datanet, bob.address)[0]
10
>>> model = client.register_model(alice, [(datanet, 1)], price=Price(1_000, 10, 20))
>>> client.quote(model, 2_000, 1_000)
1040
>>> receipt = client.infer(bob, model, input_tokens=2_000, output_tokens=1_000)
>>> receipt = client.infer_compact(bob, model, fee=10**6, record=record_hash(b"\\x01" * 32, b"\\x02" * 32))
>>> [name for name, _ in client.events(receipt)]
['Inferred']
>>> receipt = client.infer_batch(alice, model, 3, fee=10**6, influence=encode_influence([Influence(datanet)]))
>>> client.usage(model).inferences
5
>>> owed = client.claimable(bob.address, [datanet])
>>> client.claim_for(alice, bob.address, [datanet]) == owed > 0
True

An owner changes the terms, then the owner of the model and the curator of the DataNet:

>>> receipt = client.set_price(alice, model, Price(per_call=500))
>>> receipt = client.record_training(alice, model, 1, b"\\x01" * 32, b"\\x02" * 32)
>>> receipt = client.set_attributor(alice, model, bob.address)
>>> client.model(model).signer == bob.address
True
>>> receipt = client.transfer_model(alice, model, bob.address)
>>> receipt = client.transfer_curator(alice, datanet, bob.address)
>>> client.datanet(datanet).curator == client.model(model).owner == bob.address
True

A job is paid for before it is answered. `now` is the time of the newest block:

>>> job = client.request(alice, model, deadline=now + 60, escrow=5_000)
>>> receipt = client.settle(bob, job, response_hash=b"\\x03" * 32)
>>> client.job(job).state
2
>>> receipt = client.harvest(bob, [datanet])
>>> client.claim(bob) > 0
True
>>> client.cancel(alice, job)
Traceback (most recent call last):
attribution_precompile.client_values.AttributionError: ...

An attestation names whose texts an answer used, and the attributor signs it:

>>> attestation = Attestation(model, alice.address, client.nonce(alice.address), now + 60)
>>> influence = encode_influence([Influence(datanet, bob.address, 3)])
>>> signature = sign_attestation(bob_key, attestation, influence, client.web3.eth.chain_id)
>>> receipt = client.infer_attested(alice, attestation, influence, signature, fee=10**6)
>>> client.events(receipt)[0][1]["influence"] == influence
True

`send` sends any other call by its name in the ABI. Only the admin sets the platform's share:

>>> receipt = client.send(alice, "contribute", client.create_datanet(alice), [])
>>> client.set_platform(bob, bob.address, bob.address, 1_000)
Traceback (most recent call last):
attribution_precompile.client_values.AttributionError: ...
"""

from collections.abc import Sequence
from typing import Any

from eth_typing import ChecksumAddress, HexStr
from web3 import Web3
from web3.exceptions import ContractLogicError
from web3.types import TxParams, TxReceipt, Wei

from .attestation import (
    MAX_INFLUENCE,
    ZERO_HASH,
    Attestation,
    Influence,
    SigningKey,
    attestation_typed_data,
    decode_influence,
    encode_influence,
    record_hash,
    sign_attestation,
)
from .client_values import Account, AttributionError, Datanet, Job, Model, Usage
from .errors import explain
from .reader import COMPACT, AttributionReader, explained
from .terms import Price, Split

__all__ = [
    "MAX_INFLUENCE",
    "ZERO_HASH",
    "Account",
    "Attestation",
    "AttributionClient",
    "AttributionError",
    "AttributionReader",
    "Datanet",
    "Influence",
    "Job",
    "Model",
    "Price",
    "SigningKey",
    "Split",
    "Usage",
    "attestation_typed_data",
    "decode_influence",
    "encode_influence",
    "explain",
    "record_hash",
    "sign_attestation",
]


class AttributionClient(AttributionReader):
    """Sends transactions to the precompile, and reads it. Each method that sends waits for the receipt.

    Raises AttributionError for a transaction that would be refused or that is refused.
    """

    def send(self, account: Account, name: str, *arguments: Any, value: int = 0) -> TxReceipt:
        """Signs and sends a transaction and waits for it. Raises AttributionError if the call would be refused or is
        refused.
        """
        return self._send_data(account, HexStr(self.contract.encode_abi(name, args=list(arguments))), value)

    def set_platform(self, account: Account, admin: str, treasury: str, bps: int) -> TxReceipt:
        """Sets the platform; only its admin may. `bps` of every fee (at most 3,000) go to the treasury."""
        return self.send(account, "setPlatform", _address(admin), _address(treasury), bps)

    def create_datanet(self, account: Account, metadata: bytes = ZERO_HASH) -> int:
        """Creates a DataNet and returns its id."""
        return self._logged(self.send(account, "createDatanet", metadata), "DatanetCreated", "datanetId")

    def contribute(
        self, account: Account, datanet_id: int, contributions: Sequence[tuple[str, int, bytes]]
    ) -> TxReceipt:
        """Registers contributions: (contributor, units, content hash) each."""
        rows = [(Web3.to_checksum_address(who), units, content) for who, units, content in contributions]
        return self.send(account, "contribute", datanet_id, rows)

    def set_units(self, account: Account, datanet_id: int, contributor: str, units: int) -> TxReceipt:
        """Sets a contributor's share of the pool's later earnings; only the curator may."""
        return self.send(account, "setUnits", datanet_id, _address(contributor), units)

    def transfer_curator(self, account: Account, datanet_id: int, to: str) -> TxReceipt:
        """Makes another account the curator; only the curator may."""
        return self.send(account, "transferCurator", datanet_id, _address(to))

    def register_model(
        self,
        account: Account,
        weights: Sequence[tuple[int, int]],
        *,
        price: Price | None = None,
        split: Split | None = None,
        base_model_id: int = 0,
        attributor: str = "0x" + "00" * 20,
        metadata: bytes = ZERO_HASH,
    ) -> int:
        """Registers a model and returns its id; `weights` are pairs (datanetId, weight)."""
        price, split = price or Price(), split or Split()
        params = (
            metadata,
            base_model_id,
            Web3.to_checksum_address(attributor),
            (price.per_call, price.per_kilo_input, price.per_kilo_output),
            (split.owner_bps, split.lineage_bps, split.data_bps),
            sorted(weights),
        )
        return self._logged(self.send(account, "registerModel", params), "ModelRegistered", "modelId")

    def set_price(self, account: Account, model_id: int, price: Price) -> TxReceipt:
        """Sets the prices; only the model's owner may."""
        values = (price.per_call, price.per_kilo_input, price.per_kilo_output)
        return self.send(account, "setPrice", model_id, values)

    def set_attributor(self, account: Account, model_id: int, attributor: str) -> TxReceipt:
        """Sets the attributor; only the model's owner may. Address zero makes the owner the attributor."""
        return self.send(account, "setAttributor", model_id, _address(attributor))

    def transfer_model(self, account: Account, model_id: int, to: str) -> TxReceipt:
        """Gives the model to another owner; only its owner may."""
        return self.send(account, "transferModel", model_id, _address(to))

    def record_training(
        self, account: Account, model_id: int, step: int, checkpoint: bytes, data_root: bytes
    ) -> TxReceipt:
        """Records a training step; only the model's owner may. Steps rise strictly."""
        return self.send(account, "recordTraining", model_id, step, checkpoint, data_root)

    def infer(
        self,
        account: Account,
        model_id: int,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        request_hash: bytes = ZERO_HASH,
        response_hash: bytes = ZERO_HASH,
        fee: int | None = None,
    ) -> TxReceipt:
        """One inference with default weights. The fee, in wei, is the quote unless given."""
        value = self.quote(model_id, input_tokens, output_tokens) if fee is None else fee
        arguments = (model_id, input_tokens, output_tokens, request_hash, response_hash)
        return self.send(account, "infer", *arguments, value=value)

    def infer_compact(
        self,
        account: Account,
        model_id: int,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        record: bytes = ZERO_HASH,
        fee: int | None = None,
    ) -> TxReceipt:
        """One inference at the lowest L1 data cost: 48 bytes of calldata. `record` is a value of `record_hash`."""
        value = self.quote(model_id, input_tokens, output_tokens) if fee is None else fee
        numbers = b"".join([number.to_bytes(4, "big") for number in (model_id, input_tokens, output_tokens)])
        return self._send_data(account, HexStr("0x" + (self.selector(COMPACT) + numbers + record).hex()), value)

    def infer_attested(
        self,
        account: Account,
        attestation: Attestation,
        influence: Sequence[int],
        signature: bytes,
        fee: int | None = None,
    ) -> TxReceipt:
        """One inference with the influence of a signed attestation."""
        quoted = (attestation.model_id, attestation.input_tokens, attestation.output_tokens)
        value = self.quote(*quoted) if fee is None else fee
        arguments = (attestation.as_tuple(), list(influence), signature)
        return self.send(account, "inferAttested", *arguments, value=value)

    def infer_batch(
        self,
        account: Account,
        model_id: int,
        count: int,
        *,
        fee: int,
        input_tokens: int = 0,
        output_tokens: int = 0,
        records_root: bytes = ZERO_HASH,
        influence: Sequence[int] = (),
    ) -> TxReceipt:
        """Records `count` inferences at once, for `fee` wei; only the attributor may. Tokens are sums over all
        inferences, and `records_root` commits to the single ones."""
        arguments = (model_id, count, input_tokens, output_tokens, records_root, list(influence))
        return self.send(account, "inferBatch", *arguments, value=fee)

    def request(
        self, account: Account, model_id: int, deadline: int, escrow: int, request_hash: bytes = ZERO_HASH
    ) -> int:
        """Pays `escrow` wei for an answer until `deadline` (Unix seconds) and returns the id of the job."""
        receipt = self.send(account, "request", model_id, request_hash, deadline, value=escrow)
        return self._logged(receipt, "JobRequested", "jobId")

    def settle(
        self,
        account: Account,
        job_id: int,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        response_hash: bytes = ZERO_HASH,
        evidence: bytes = ZERO_HASH,
        influence: Sequence[int] = (),
    ) -> TxReceipt:
        """Answers a job before its deadline; only the attributor may. The fee is the quote or the escrow, whichever is
        less.
        """
        arguments = (job_id, input_tokens, output_tokens, response_hash, evidence, list(influence))
        return self.send(account, "settle", *arguments)

    def cancel(self, account: Account, job_id: int) -> TxReceipt:
        """Cancels a job after its deadline; only its payer may. The escrow becomes credit."""
        return self.send(account, "cancel", job_id)

    def harvest(self, account: Account, datanet_ids: Sequence[int], beneficiary: str = "") -> TxReceipt:
        """Moves a member's earnings from pools to its credit. The member is the sender unless given."""
        return self.send(account, "harvest", list(datanet_ids), _address(beneficiary or account.address))

    def claim_for(self, account: Account, beneficiary: str, datanet_ids: Sequence[int] = ()) -> int:
        """Pays the beneficiary all its earnings; the sender pays the gas. Returns the wei paid."""
        receipt = self.send(account, "claimFor", _address(beneficiary), list(datanet_ids))
        return self._logged(receipt, "Claimed", "amount")

    def claim(self, account: Account, datanet_ids: Sequence[int] = (), recipient: str = "") -> int:
        """Harvests and pays out all of the sender's earnings. Returns the wei paid."""
        to = Web3.to_checksum_address(recipient or account.address)
        return self._logged(self.send(account, "claim", list(datanet_ids), to), "Claimed", "amount")

    def _logged(self, receipt: TxReceipt, event: str, argument: str) -> int:
        value: int = next(arguments for name, arguments in self.events(receipt) if name == event)[argument]
        return value

    def _send_data(self, account: Account, data: HexStr, value: int) -> TxReceipt:
        eth = self.web3.eth
        call: TxParams = {"from": account.address, "to": self.address, "value": Wei(value), "data": data}
        try:
            gas = eth.estimate_gas(call)
        except ContractLogicError as error:
            raise explained(error) from error
        priority = eth.max_priority_fee
        transaction: TxParams = {
            **call,
            "gas": gas,
            "nonce": eth.get_transaction_count(account.address, "pending"),
            "chainId": eth.chain_id,
            "maxPriorityFeePerGas": priority,
            # The base fee at most doubles before the transaction is included, if that is soon.
            "maxFeePerGas": Wei(2 * eth.get_block("latest")["baseFeePerGas"] + priority),
        }
        signed = account.sign_transaction(transaction)
        return self.wait(eth.send_raw_transaction(signed.raw_transaction))


def _address(account: str) -> ChecksumAddress:
    return Web3.to_checksum_address(account)
