"""engine_: the Engine API over the authenticated port (execution-apis src/engine; specs protocol/exec-engine.md).

Which version serves which fork, and in what words another is refused, is op-geth's eth/catalyst/api.go: attributes by
V1 before Canyon, V2 before Ecotone, V3 from there; payloads by V1 and V2 before Ecotone, V3 before Isthmus, V4 from
there, asked for by V5 from Karst (op-node). A forkchoice update without attributes is taken by every version at every
fork. What a version's parameters lack or have too much is -32602 "Invalid parameters"; the reason is in the error's
data, as `err`.
"""

from collections.abc import Mapping
from typing import Any

from rollup.execution.block_context import InvalidPayloadAttributes
from rollup.execution.engine import Engine, InvalidForkchoiceState, PayloadStatus, UnknownPayload
from rollup.protocol.block import Block
from rollup.protocol.forks import Fork
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import ZERO_HASH, Hash
from rollup.rpc.engine_json import (
    UndecodableTransaction,
    attributes_from_json,
    payload_from_json,
    payload_to_json,
)
from rollup.rpc.errors import INVALID_PARAMS, InvalidParams, RpcError
from rollup.rpc.formats import hex_data, hex_quantity
from rollup.rpc.methods import changes_chain, collect, rpc
from rollup.rpc.net import client_version
from rollup.rpc.params import (
    Invalid,
    Optional,
    byte_strings,
    hash32,
    hashes32,
    mapping,
    quantity64,
    sized,
    texts,
)

UNKNOWN_PAYLOAD, INVALID_FORKCHOICE, INVALID_ATTRIBUTES = -38001, -38002, -38003
TOO_LARGE, UNSUPPORTED_FORK = -38004, -38005
_MAX_BODIES = 1024


class EngineApi:
    """One engine, driven by a rollup node over HTTP."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._chain = engine.chain

    # ------------------------------------------------------------ forkchoice
    @changes_chain
    @rpc("engine_forkchoiceUpdatedV1", mapping, Optional(mapping))
    def forkchoice_updated_v1(self, state: Any, attributes: Any) -> dict[str, Any]:
        """Sets the heads and begins to build a payload: before Canyon."""
        return self._forkchoice(1, state, attributes)

    @changes_chain
    @rpc("engine_forkchoiceUpdatedV2", mapping, Optional(mapping))
    def forkchoice_updated_v2(self, state: Any, attributes: Any) -> dict[str, Any]:
        """Sets the heads and begins to build a payload: before Ecotone."""
        return self._forkchoice(2, state, attributes)

    @changes_chain
    @rpc("engine_forkchoiceUpdatedV3", mapping, Optional(mapping))
    def forkchoice_updated_v3(self, state: Any, attributes: Any) -> dict[str, Any]:
        """Sets the heads and begins to build a payload: from Ecotone."""
        return self._forkchoice(3, state, attributes)

    # ------------------------------------------------------------ payloads
    @rpc("engine_getPayloadV1", sized(8))
    def get_payload_v1(self, payload_id: bytes) -> dict[str, Any]:
        """The payload built, without an envelope: before Canyon."""
        return payload_to_json(self._payload(payload_id, Fork.BEDROCK, Fork.CANYON))

    @rpc("engine_getPayloadV2", sized(8))
    def get_payload_v2(self, payload_id: bytes) -> dict[str, Any]:
        """The payload built: before Ecotone."""
        return self._envelope(payload_id, self._payload(payload_id, Fork.BEDROCK, Fork.ECOTONE))

    @rpc("engine_getPayloadV3", sized(8))
    def get_payload_v3(self, payload_id: bytes) -> dict[str, Any]:
        """The payload built: Ecotone to before Isthmus."""
        # spec: engine-api.get-payload-v3
        return self._envelope(payload_id, self._payload(payload_id, Fork.ECOTONE, Fork.ISTHMUS))

    @rpc("engine_getPayloadV4", sized(8))
    def get_payload_v4(self, payload_id: bytes) -> dict[str, Any]:
        """The payload built: from Isthmus; also of Karst, as op-node up to v1.17 asks for it."""
        # spec: engine-api.get-payload-v4
        block = self._payload(payload_id, Fork.ISTHMUS, None)
        return self._envelope(payload_id, block) | {"executionRequests": []}

    @rpc("engine_getPayloadV5", sized(8))
    def get_payload_v5(self, payload_id: bytes) -> dict[str, Any]:
        """The payload built: from Karst. As V4; its blobs bundle has another form and is always empty on L2."""
        block = self._payload(payload_id, Fork.KARST, None)
        return self._envelope(payload_id, block) | {"executionRequests": []}

    @changes_chain
    @rpc("engine_newPayloadV1", mapping)
    def new_payload_v1(self, payload: Any) -> dict[str, Any]:
        """Executes a payload: before Canyon."""
        if payload.get("withdrawals") is not None:
            raise _bad_parameters("withdrawals not supported in V1")
        return self._new_payload(payload)

    @changes_chain
    @rpc("engine_newPayloadV2", mapping)
    def new_payload_v2(self, payload: Any) -> dict[str, Any]:
        """Executes a payload: before Ecotone."""
        # spec: engine-api.v2-before-ecotone
        fork = self._fork(payload)
        if fork >= Fork.ECOTONE:
            raise _bad_parameters("can't use newPayloadV2 post-cancun")
        has_withdrawals = payload.get("withdrawals") is not None
        if has_withdrawals != (fork >= Fork.CANYON):
            raise _bad_parameters(
                "non-nil withdrawals pre-shanghai" if has_withdrawals else "nil withdrawals post-shanghai"
            )
        for name in ("excessBlobGas", "blobGasUsed"):
            if payload.get(name) is not None:
                raise _bad_parameters(f"non-nil {name} pre-cancun")
        return self._new_payload(payload)

    @changes_chain
    @rpc("engine_newPayloadV3", mapping, Optional(hashes32), Optional(hash32))
    def new_payload_v3(self, payload: Any, blob_hashes: Any, beacon_root: Hash | None) -> dict[str, Any]:
        """Executes a payload: Ecotone to before Isthmus."""
        # spec: engine-api.new-payload-v3
        root = _check_cancun(payload, blob_hashes, beacon_root)
        self._check_fork(payload, Fork.ECOTONE, Fork.ISTHMUS, "newPayloadV3 must only be called for cancun payloads")
        return self._new_payload(payload, blob_hashes, root)

    @changes_chain
    @rpc("engine_newPayloadV4", mapping, Optional(hashes32), Optional(hash32), Optional(byte_strings))
    def new_payload_v4(self, payload: Any, blob_hashes: Any, beacon_root: Hash | None, requests: Any) -> dict[str, Any]:
        """Executes a payload: from Isthmus, Karst included."""
        # spec: engine-api.v4-requests, engine-api.new-payload-v4
        root = _check_cancun(payload, blob_hashes, beacon_root)
        if requests is None:
            raise _bad_parameters("nil executionRequests post-prague")
        self._check_fork(payload, Fork.ISTHMUS, None, "newPayloadV4 must only be called for prague payloads")
        if payload.get("withdrawalsRoot") is None:
            raise _bad_parameters("nil withdrawalsRoot post-isthmus")
        _check_requests(requests)
        return self._new_payload(payload, blob_hashes, root, requests)

    @rpc("engine_getPayloadBodiesByHashV1", hashes32)
    def get_payload_bodies_by_hash_v1(self, hashes: list[Hash]) -> list[Any]:
        """Transactions and withdrawals of blocks, at most 1,024; `null` for an unknown block."""
        if len(hashes) > _MAX_BODIES:
            raise _too_large(len(hashes))
        return [_body(self._chain.block(item)) for item in hashes]

    @rpc("engine_getPayloadBodiesByRangeV1", quantity64, quantity64)
    def get_payload_bodies_by_range_v1(self, start: int, count: int) -> list[Any]:
        """Transactions and withdrawals of canonical blocks up to the head, at most 1,024."""
        if not start or not count:
            raise _bad_parameters(f"invalid start or count, start: {start} count: {count}")
        if count > _MAX_BODIES:
            raise _too_large(count)
        last = min(start + count - 1, self._chain.head.number)
        return [_body(self._chain.block_by_number(number)) for number in range(start, last + 1)]

    # ------------------------------------------------------------ the client
    @rpc("engine_exchangeCapabilities", texts)
    def exchange_capabilities(self, methods: Any) -> list[str]:
        """The `engine_` methods of this port, without this one."""
        del methods
        return sorted(name for name in collect(self) if name != "engine_exchangeCapabilities")

    @rpc("engine_getClientVersionV1", Optional(mapping))
    def get_client_version_v1(self, client: Any) -> list[dict[str, str]]:
        """Name and version; the code is `OR`. The commit is zero: an installed package does not know it."""
        del client
        name, version, _ = client_version().split("/")
        return [{"code": "OR", "name": name, "version": version, "commit": "0x00000000"}]

    # ------------------------------------------------------------ inside
    def _forkchoice(self, version: int, state: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
        head, safe, finalized = (_state_hash(state, name) for name in _HEADS)
        if head == ZERO_HASH:
            return {"payloadStatus": _status(PayloadStatus("INVALID")), "payloadId": None}
        attributes = None if given is None else self._attributes(version, given)
        try:
            result = self._engine.forkchoice_updated(head, safe, finalized, attributes)
        except InvalidForkchoiceState as error:
            raise RpcError("Invalid forkchoice state", INVALID_FORKCHOICE, {"err": str(error)}) from error
        except InvalidPayloadAttributes as error:
            raise RpcError("Invalid payload attributes", INVALID_ATTRIBUTES, {"err": str(error)}) from error
        ident = result.payload_id
        return {"payloadStatus": _status(result.status), "payloadId": None if ident is None else hex_data(ident)}

    def _attributes(self, version: int, given: Mapping[str, Any]) -> PayloadAttributes:
        try:
            attributes = attributes_from_json(given)
        except Invalid as error:
            raise InvalidParams(f"invalid argument 1: {error}") from error
        _CHECKS[version](self._engine.config.fork_at(attributes.timestamp), attributes)
        return attributes

    def _payload(self, payload_id: bytes, first: Fork, end: Fork | None) -> Block:
        try:
            block = self._engine.get_payload(payload_id)
        except UnknownPayload as error:
            raise RpcError("Unknown payload", UNKNOWN_PAYLOAD) from error
        fork = self._engine.config.fork_at(block.timestamp)
        if fork < first or (end is not None and fork >= end):
            raise RpcError("Unsupported fork", UNSUPPORTED_FORK)
        return block

    def _envelope(self, payload_id: bytes, block: Block) -> dict[str, Any]:
        # spec: engine-api.envelope-beacon-root
        result: dict[str, Any] = {
            "executionPayload": payload_to_json(block),
            "blockValue": hex_quantity(self._engine.payload_value(payload_id)),
        }
        if block.header.parent_beacon_block_root is not None:
            result |= {
                "blobsBundle": {"commitments": [], "proofs": [], "blobs": []},
                "shouldOverrideBuilder": False,
                "parentBeaconBlockRoot": hex_data(block.header.parent_beacon_block_root),
            }
        return result

    def _new_payload(
        self,
        payload: Mapping[str, Any],
        hashes: Any = None,
        beacon_root: Hash | None = None,
        requests: list[bytes] | None = None,
    ) -> dict[str, Any]:
        # spec: engine-api.no-blob-hashes
        if hashes:
            return _status(PayloadStatus("INVALID", None, f"invalid number of versionedHashes: {len(hashes)} blobs: 0"))
        try:
            block = payload_from_json(payload, beacon_root, requests)
        except Invalid as error:
            raise InvalidParams(f"invalid argument 0: {error}") from error
        except UndecodableTransaction as error:
            return _status(PayloadStatus("INVALID", None, str(error)))
        return _status(self._engine.new_payload(block))

    def _fork(self, payload: Mapping[str, Any]) -> Fork:
        try:
            return self._engine.config.fork_at(quantity64(payload.get("timestamp")))
        except Invalid as error:
            raise InvalidParams(f"invalid argument 0: timestamp: {error}") from error

    def _check_fork(self, payload: Mapping[str, Any], first: Fork, end: Fork | None, text: str) -> None:
        fork = self._fork(payload)
        if fork < first or (end is not None and fork >= end):
            raise _unsupported(text)


_HEADS = ("headBlockHash", "safeBlockHash", "finalizedBlockHash")


def _state_hash(state: Mapping[str, Any], name: str) -> Hash:
    try:
        return bytes(hash32(state.get(name)))
    except Invalid as error:
        raise InvalidParams(f"invalid argument 0: {name}: {error}") from error


def _bad_attributes(text: str) -> RpcError:
    return RpcError("Invalid payload attributes", INVALID_ATTRIBUTES, {"err": text})


def _bad_parameters(text: str) -> RpcError:
    return RpcError("Invalid parameters", INVALID_PARAMS, {"err": text})


def _unsupported(text: str) -> RpcError:
    return RpcError("Unsupported fork", UNSUPPORTED_FORK, {"err": text})


def _too_large(count: int) -> RpcError:
    return RpcError("Too large request", TOO_LARGE, {"err": f"requested count too large: {count}"})


def _check_v1(fork: Fork, attributes: PayloadAttributes) -> None:
    if attributes.has_withdrawals or attributes.parent_beacon_block_root is not None:
        raise _bad_parameters("withdrawals and beacon root not supported in V1")
    if fork >= Fork.CANYON:
        raise _bad_parameters("forkChoiceUpdateV1 called post-shanghai")


def _check_v2(fork: Fork, attributes: PayloadAttributes) -> None:
    # spec: engine-api.forkchoice-v3, engine-api.v2-before-ecotone
    if attributes.parent_beacon_block_root is not None:
        raise _bad_attributes("unexpected beacon root")
    if fork >= Fork.ECOTONE:
        raise _unsupported("forkchoiceUpdatedV2 must only be called with paris and shanghai payloads")
    if attributes.has_withdrawals != (fork >= Fork.CANYON):
        raise _bad_attributes("withdrawals before shanghai" if attributes.has_withdrawals else "missing withdrawals")


def _check_v3(fork: Fork, attributes: PayloadAttributes) -> None:
    # spec: engine-api.forkchoice-v3
    if not attributes.has_withdrawals:
        raise _bad_attributes("missing withdrawals")
    if attributes.parent_beacon_block_root is None:
        raise _bad_attributes("missing beacon root")
    if fork < Fork.ECOTONE:
        raise _unsupported("forkchoiceUpdatedV3 must only be called for cancun payloads")


_CHECKS = {1: _check_v1, 2: _check_v2, 3: _check_v3}


def _check_cancun(payload: Mapping[str, Any], hashes: Any, beacon_root: Hash | None) -> Hash:
    """Checks the fields that every payload has from Ecotone on; returns the beacon root."""
    # spec: engine-api.payload-beacon-root
    if payload.get("withdrawals") is None:
        raise _bad_parameters("nil withdrawals post-shanghai")
    for name in ("excessBlobGas", "blobGasUsed"):
        if payload.get(name) is None:
            raise _bad_parameters(f"nil {name} post-cancun")
    if hashes is None:
        raise _bad_parameters("nil versionedHashes post-cancun")
    if beacon_root is None:
        raise _bad_parameters("nil beaconRoot post-cancun")
    return beacon_root


def _check_requests(requests: list[bytes]) -> None:
    """EIP-7685: a type byte and something, by ascending type."""
    # spec: engine-api.v4-requests
    for index, item in enumerate(requests):
        if len(item) < 2:
            raise _bad_parameters(f"empty request: {hex_data(item)}")
        if index and item[0] <= requests[index - 1][0]:
            raise _bad_parameters(f"invalid request order: {hex_data(item)}")


def _status(status: PayloadStatus) -> dict[str, Any]:
    valid = status.latest_valid_hash
    return {
        "status": status.status,
        "latestValidHash": None if valid is None else hex_data(valid),
        "validationError": status.validation_error,
    }


def _body(block: Block | None) -> dict[str, Any] | None:
    if block is None:
        return None
    return {
        "transactions": [hex_data(transaction.encode()) for transaction in block.transactions],
        "withdrawals": [] if block.header.withdrawals_root is not None else None,
    }
