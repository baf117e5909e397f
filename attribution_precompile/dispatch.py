"""Finds the method for calldata: the guards in the order of docs/attribution-calls.md, and the table of methods."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sha3 import keccak_256

from . import datanets, earnings, inference, jobs, models, platform
from .errors import (
    DELEGATE_CALL_NOT_ALLOWED,
    NON_PAYABLE,
    STATIC_CALL_NOT_ALLOWED,
    UNKNOWN_FUNCTION_SELECTOR,
)
from .gas import INPUT_WORD, OUTPUT_WORD
from .host import Host

Body = Callable[[Host, bytes], bytes]

PAYABLE: Final = "payable"
NONPAYABLE: Final = "nonpayable"
VIEW: Final = "view"


@dataclass(frozen=True, slots=True)
class Method:
    """One function of IAttribution.sol: `body` decodes the calldata and returns the ABI-encoded result."""

    signature: str
    selector: bytes
    payable: bool
    mutates: bool
    body: Body

    @property
    def name(self) -> str:
        return self.signature.partition("(")[0]


def _method(signature: str, mutability: str, body: Body) -> Method:
    selector: bytes = keccak_256(signature.encode()).digest()[:4]
    return Method(signature, selector, mutability == PAYABLE, mutability != VIEW, body)


_WEIGHTED_PARAMS: Final = "(bytes32,uint64,address,(uint96,uint96,uint96),(uint16,uint16,uint16),(uint64,uint32)[])"
_ATTESTATION: Final = "(uint64,address,uint64,uint64,uint32,uint32,bytes32,bytes32,bytes32)"

METHODS: Final[tuple[Method, ...]] = (
    _method("setPlatform(address,address,uint16)", NONPAYABLE, platform.set_platform),
    _method("platform()", VIEW, platform.platform),
    _method("version()", VIEW, platform.version),
    _method("createDatanet(bytes32)", NONPAYABLE, datanets.create_datanet),
    _method("contribute(uint64,(address,uint96,bytes32)[])", NONPAYABLE, datanets.contribute),
    _method("setUnits(uint64,address,uint96)", NONPAYABLE, datanets.set_units),
    _method("transferCurator(uint64,address)", NONPAYABLE, datanets.transfer_curator),
    _method("datanet(uint64)", VIEW, datanets.datanet),
    _method("member(uint64,address)", VIEW, datanets.member),
    _method(f"registerModel({_WEIGHTED_PARAMS})", NONPAYABLE, models.register_model),
    _method("setPrice(uint64,(uint96,uint96,uint96))", NONPAYABLE, models.set_price),
    _method("setAttributor(uint64,address)", NONPAYABLE, models.set_attributor),
    _method("transferModel(uint64,address)", NONPAYABLE, models.transfer_model),
    _method("recordTraining(uint64,uint64,bytes32,bytes32)", NONPAYABLE, models.record_training),
    _method("model(uint64)", VIEW, models.model),
    _method("usage(uint64)", VIEW, models.usage),
    _method("quote(uint64,uint64,uint64)", VIEW, models.quote),
    _method("infer(uint64,uint32,uint32,bytes32,bytes32)", PAYABLE, inference.infer),
    _method("inferCompact()", PAYABLE, inference.infer_compact),
    _method(f"inferAttested({_ATTESTATION},uint256[],bytes)", PAYABLE, inference.infer_attested),
    _method("inferBatch(uint64,uint32,uint64,uint64,bytes32,uint256[])", PAYABLE, inference.infer_batch),
    _method("request(uint64,bytes32,uint64)", PAYABLE, jobs.request),
    _method("settle(uint64,uint32,uint32,bytes32,bytes32,uint256[])", NONPAYABLE, jobs.settle),
    _method("cancel(uint64)", NONPAYABLE, jobs.cancel),
    _method("job(uint64)", VIEW, jobs.job),
    _method("nonces(address)", VIEW, inference.nonces),
    _method("harvest(uint64[],address)", NONPAYABLE, earnings.harvest),
    _method("claim(uint64[],address)", NONPAYABLE, earnings.claim),
    _method("claimFor(address,uint64[])", NONPAYABLE, earnings.claim_for),
    _method("claimable(address,uint64[])", VIEW, earnings.claimable),
)

SELECTORS: Final[dict[bytes, Method]] = {method.selector: method for method in METHODS}


def execute(host: Host, calldata: bytes) -> bytes:
    """Runs one call and returns its ABI-encoded result.

    Raises Revert with the typed error's data, or the host's own out-of-gas exception. In both cases the host reverts
    the effects of the call. The value, if any, is already in the precompile's balance.

    >>> from attribution_precompile import METHODS, DictHost, execute, genesis_storage
    >>> host = DictHost(storage=genesis_storage(admin=1, treasury=2, bps=500))
    >>> host.enter(caller=3, value=0, gas=1_000_000)
    >>> (create,) = [method for method in METHODS if method.name == "createDatanet"]
    >>> int.from_bytes(execute(host, create.selector + bytes(32)), "big")  # the id of the new DataNet
    1
    """
    host.charge(INPUT_WORD * (len(calldata) + 31 >> 5))
    if host.is_delegate:
        raise DELEGATE_CALL_NOT_ALLOWED()
    method = SELECTORS.get(calldata[:4])
    if method is None:
        raise UNKNOWN_FUNCTION_SELECTOR(int.from_bytes(calldata[:4].ljust(32, b"\0"), "big"))
    if not method.payable and host.value:
        raise NON_PAYABLE()
    if method.mutates and host.is_static:
        raise STATIC_CALL_NOT_ALLOWED()
    output = method.body(host, calldata)
    host.charge(OUTPUT_WORD * (len(output) >> 5))
    return output
