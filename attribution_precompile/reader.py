"""Reads the precompile with web3.py: its views, its events, calldata and the reasons of failed transactions."""

from collections.abc import Sequence
from typing import Any, Final

from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress, HexStr
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3ValueError
from web3.types import TxParams, TxReceipt

from .client_values import AttributionError, Datanet, Job, Model, Usage
from .events import EVENTS
from .layout import ADDRESS
from .terms import Price, Split
from .twin import ABI

COMPACT: Final = "inferCompact"
_COMPACT_LENGTH: Final = 48
_EVENT_NAMES: Final = {topic: signature.partition("(")[0] for signature, topic in EVENTS.items()}


class AttributionReader:
    """Reads the precompile behind any JSON-RPC endpoint that web3.py can reach. It needs no account.

    Amounts are wei and times Unix seconds. A refused call raises AttributionError.

    >>> reader = AttributionReader(client.web3)
    >>> reader.version() == reader.call("version")
    True
    >>> admin, treasury, bps = reader.platform()
    >>> bps
    500
    >>> receipt = reader.wait(client.send(alice, "createDatanet", b"\\x00" * 32)["transactionHash"])
    >>> ((event, arguments),) = reader.events(receipt)
    >>> event, reader.datanet(arguments["datanetId"]).curator == alice.address
    ('DatanetCreated', True)
    >>> reader.member(arguments["datanetId"], bob.address), reader.nonce(bob.address)
    ((0, 0), 0)
    >>> reader.decode_call(reader.selector("version"))
    ('version', {})
    >>> for refused in (reader.model, reader.usage, reader.job):
    ...     try:
    ...         refused(999)
    ...     except AttributionError as error:
    ...         print(error.name)
    UnknownModel
    UnknownModel
    UnknownJob
    >>> reader.claimable(bob.address)
    0
    >>> try:
    ...     reader.quote(999, 1, 1)
    ... except AttributionError as error:
    ...     print(error)
    UnknownModel(999)
    """

    def __init__(self, web3: Web3) -> None:
        self.web3 = web3
        self.address = Web3.to_checksum_address(ADDRESS.to_bytes(20, "big"))
        self.contract = web3.eth.contract(address=self.address, abi=ABI)

    # -- reading

    def call(self, name: str, *arguments: Any) -> Any:
        """The result of a view method, as web3.py decodes it. Raises AttributionError if the precompile refuses the
        call.
        """
        try:
            return self.contract.functions[name](*arguments).call()
        except ContractLogicError as error:
            raise explained(error) from error

    def version(self) -> int:
        """The version of the interface."""
        version: int = self.call("version")
        return version

    def platform(self) -> tuple[ChecksumAddress, ChecksumAddress, int]:
        """The platform's admin, its treasury, and its share in basis points."""
        admin, treasury, bps = self.call("platform")
        return admin, treasury, bps

    def datanet(self, datanet_id: int) -> Datanet:
        """A DataNet. Raises AttributionError (UnknownDatanet) if it does not exist."""
        return Datanet(*self.call("datanet", datanet_id))

    def member(self, datanet_id: int, account: str) -> tuple[int, int]:
        """A member's units, and the wei that a harvest would pay now."""
        units, pending = self.call("member", datanet_id, Web3.to_checksum_address(account))
        return units, pending

    def model(self, model_id: int) -> Model:
        """A model. Raises AttributionError (UnknownModel) if it does not exist."""
        owner, attributor, base, metadata, price, split, weights = self.call("model", model_id)
        return Model(
            owner,
            attributor,
            base,
            metadata,
            Price(*_values(price)),
            Split(*_values(split)),
            tuple((weight[0], weight[1]) for weight in map(_values, weights)),
        )

    def usage(self, model_id: int) -> Usage:
        """A model's counters. Raises AttributionError (UnknownModel) if the model does not exist."""
        return Usage(*self.call("usage", model_id))

    def quote(self, model_id: int, input_tokens: int, output_tokens: int) -> int:
        """The lowest fee of an inference, in wei."""
        fee: int = self.call("quote", model_id, input_tokens, output_tokens)
        return fee

    def job(self, job_id: int) -> Job:
        """A job. Raises AttributionError (UnknownJob) if it does not exist."""
        return Job(*self.call("job", job_id))

    def nonce(self, payer: str) -> int:
        """The nonce of the payer's next attestation."""
        nonce: int = self.call("nonces", Web3.to_checksum_address(payer))
        return nonce

    def claimable(self, account: str, datanet_ids: Sequence[int] = ()) -> int:
        """The wei that a claim would pay now."""
        amount: int = self.call("claimable", Web3.to_checksum_address(account), list(datanet_ids))
        return amount

    # -- transactions

    def wait(self, transaction_hash: bytes | HexStr, timeout: float = 120) -> TxReceipt:
        """Waits up to `timeout` seconds for a transaction's receipt. AttributionError with the typed error if it
        failed; web3's TimeExhausted if it is not in a block by then."""
        receipt = self.web3.eth.wait_for_transaction_receipt(HexBytes(transaction_hash), timeout=timeout)
        if receipt["status"] != 1:
            self._explain_failure(receipt)
        return receipt

    def decode_call(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """The method's name and arguments in a transaction's calldata. Raises ValueError if it does not call the
        precompile."""
        if data[:4] == self.selector(COMPACT):
            if len(data) != _COMPACT_LENGTH:
                raise ValueError(f"inferCompact has 48 bytes of calldata, not {len(data)}")
            names = ("modelId", "inputTokens", "outputTokens")
            numbers = [int.from_bytes(data[at : at + 4], "big") for at in (4, 8, 12)]
            return COMPACT, {**dict(zip(names, numbers, strict=True)), "record": data[16:]}
        try:
            function, arguments = self.contract.decode_function_input(HexBytes(data))
        except (Web3ValueError, DecodingError) as error:
            raise ValueError(f"not a call of the attribution precompile: {error}") from error
        return function.fn_name, arguments

    def events(self, receipt: TxReceipt) -> list[tuple[str, dict[str, Any]]]:
        """The precompile's events in a receipt, in order: name and arguments."""
        found: list[tuple[str, dict[str, Any]]] = []
        for log in receipt["logs"]:
            name = _EVENT_NAMES.get(int.from_bytes(log["topics"][0], "big")) if log["topics"] else None
            if log["address"] == self.address and name is not None:
                found.append((name, dict(self.contract.events[name]().process_log(log)["args"])))
        return found

    def selector(self, name: str) -> bytes:
        """The first four bytes of a call of a method."""
        return bytes.fromhex(self.contract.encode_abi(name, args=[])[2:])

    def _explain_failure(self, receipt: TxReceipt) -> None:
        """Runs the failed transaction's call again on the block before its own, for its revert data."""
        sent = self.web3.eth.get_transaction(receipt["transactionHash"])
        call: TxParams = {"from": sent["from"], "to": sent["to"], "value": sent["value"], "data": sent["input"]}
        try:
            self.web3.eth.call(call, receipt["blockNumber"] - 1)
        except ContractLogicError as error:
            raise explained(error) from error
        raise AttributionError(
            b"", f"transaction {receipt['transactionHash'].to_0x_hex()} failed, most likely out of gas"
        )


def _values(item: Any) -> tuple[Any, ...]:
    """The values of a struct. web3.py returns it as a tuple, or as a dictionary if configured so."""
    return tuple(item.values()) if isinstance(item, dict) else tuple(item)


def explained(error: ContractLogicError) -> AttributionError:
    """The error of a call that web3.py reports as refused."""
    data = error.data
    if isinstance(data, str) and data.startswith("0x"):
        return AttributionError(bytes.fromhex(HexStr(data)[2:]))
    return AttributionError(b"", str(error))
