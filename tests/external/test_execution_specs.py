"""Blocks of our L1, executed again by execution-specs: every root, gas and fee is the same.

EXECUTION_SPECS_PYTHON names a Python that has ethereum-execution; the tests skip without one.
"""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from coincurve import PrivateKey
from eth_abi import encode

from rollup.execution.block_builder import BlockBuilder, l1_context
from rollup.execution.chain import Chain
from rollup.execution.deposit_requests import DEPOSIT_EVENT
from rollup.execution.engine import AncestorHashes
from rollup.execution.errors import InvalidBlock
from rollup.execution.genesis_account import GenesisAccount
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.l1.genesis import l1_genesis_header
from rollup.protocol.accounts import USERS
from rollup.protocol.forks import L1_FORKS, L1Fork
from rollup.protocol.predeploys import DEPOSIT_CONTRACT
from rollup.protocol.primitives import EMPTY_REQUESTS_HASH, keccak256, rlp_encode, to_int_bytes
from rollup.protocol.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Authorization,
    Transaction,
)
from rollup.store.kv import MemoryStore

pytestmark = pytest.mark.external

TIME, SLOT, FEE = 1_700_000_000, 12, 10**11
PROGRAM = Path(__file__).with_name("execution_specs.py")
FIELDS = {"gas_used", "state_root", "transactions_root", "receipts_root", "logs_bloom"}
SINCE = {L1Fork.CANCUN: "blob_gas_used", L1Fork.PRAGUE: "requests_hash"}


def push(value, size=1):
    return bytes([0x5F + size]) + value.to_bytes(size, "big")


def caller_code():
    """Calldata: an address and input. CALLs it, stores the gas it cost at slot 0, logs what it returned."""
    copy = push(32) + b"\x36\x03" + push(32) + push(0) + b"\x37"  # CALLDATACOPY(0, 32, CALLDATASIZE - 32)
    before = b"\x5a"  # GAS, left on the stack
    call = push(0) + push(0) + push(32) + b"\x36\x03" + push(0) + push(0) + push(0) + b"\x35\x5a\xf1\x50"
    after = b"\x5a\x90\x03" + push(0) + b"\x55"  # SSTORE(0, before - GAS)
    log = b"\x3d" + push(0) + push(0) + b"\x3e\x3d" + push(0) + b"\xa0"  # RETURNDATACOPY, LOG0
    return copy + before + call + after + log


def clz_code():
    """Keeps CLZ of the first word of its calldata at the slot in the second."""
    return push(0) + b"\x35\x1e" + push(32) + b"\x35\x55\x00"


CALL_ANY, CLZ, STORE, BLOB_FEE = b"\xca" * 20, b"\xc1" * 20, b"\x57" * 20, b"\xbf" * 20
# LOG1 of the calldata after the first word, which is added to the topic.
STAKING = (
    push(32) + b"\x36\x03" + push(32) + push(0) + b"\x37" + push(0) + b"\x35"
    + push(int.from_bytes(DEPOSIT_EVENT, "big"), 32) + b"\x01" + push(32) + b"\x36\x03" + push(0) + b"\xa1"
)  # fmt: skip
CONTRACTS = {
    DEPOSIT_CONTRACT: STAKING,
    CALL_ANY: caller_code(),
    CLZ: clz_code(),
    STORE: push(32) + b"\x35" + push(0) + b"\x35\x55\x00",  # SSTORE(word 0, word 1)
    BLOB_FEE: b"\x4a" + push(0) + b"\x35\x55\x00",  # SSTORE(word 0, BLOBBASEFEE)
}


class Ledger:
    """Signed transactions of one user, nonces in order."""

    def __init__(self, index):
        self.key, self.nonce = USERS[index].private_key, 0

    def sends(self, to, data=b"", value=0, gas=200_000, tx_type=DYNAMIC_FEE, **fields):
        transaction = Transaction(
            tx_type, nonce=self.nonce, gas_limit=gas, to=to, value=value, data=data, chain_id=900,
            max_fee_per_gas=FEE, max_priority_fee_per_gas=FEE if tx_type in (LEGACY, ACCESS_LIST) else 10**9, **fields,
        ).signed(self.key)  # fmt: skip
        self.nonce += 1
        return transaction


def delegates(fork, target, chain_id=900):
    """The last user's account runs a contract's code; its nonce counts the forks since Prague."""
    nonce = fork - L1Fork.PRAGUE
    message = keccak256(b"\5" + rlp_encode([to_int_bytes(chain_id), target, to_int_bytes(nonce)]))
    signature = PrivateKey(USERS[9].private_key).sign_recoverable(message, hasher=None)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return Authorization(chain_id, target, nonce, signature[64], r, s)


def word(value):
    return value.to_bytes(32, "big")


def modexp(base, exponent, modulus):
    parts = [bytes.fromhex(text) for text in (base, exponent, modulus)]
    return b"".join(word(len(part)) for part in parts) + b"".join(parts)


# A signature of the Wycheproof set for P-256 (EIP-7951's test vectors): hash, r, s, x, y.
P256 = bytes.fromhex(
    "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023"
    "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18"
    "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76"
    "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838"
    "c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e"
)
PRECOMPILES = [
    (5, modexp("02", "ff", "0d")),
    (5, modexp("03" * 32, "ff" * 32, "f1" * 32)),
    (5, modexp("03" * 33, "01", "f1" * 40)),
    (5, modexp("03" * 256, "010001", "f1" * 256)),
    (5, modexp("03" * 2, "ff" * 64, "f1" * 2)),
    (5, word(1025) + word(1) + word(1) + bytes(1027)),  # EIP-7823's limit
    (5, b""),
    (0x100, P256),
    (0x100, P256[:-1] + b"\0"),
    (0x100, P256 + b"\0"),
    (0x100, b""),
    (0x0B, bytes(256)),
    (2, b"openrollup"),
]


def everything(fork, user):
    """Transactions of every kind that the fork has."""
    yield user.sends(b"\x77" * 20, value=5, gas=21_000, tx_type=LEGACY)
    yield user.sends(STORE, word(7) + word(9), tx_type=ACCESS_LIST, access_list=((STORE, (word(7),)),))
    yield user.sends(STORE, word(7) + word(0))  # a refund
    yield user.sends(b"\x78" * 20, b"\1" * 900 + bytes(300), gas=80_000)  # the floor of calldata
    yield user.sends(None, b"\x60\x2a\x60\x00\x55", gas=100_000)
    for value in (0, 1, 2**255, 2**64 + 3):
        yield user.sends(CLZ, word(value) + word(value % 97), gas=100_000)
    for address, data in PRECOMPILES:
        yield user.sends(CALL_ANY, word(address) + data, gas=5_000_000)
    if fork >= L1Fork.CANCUN:
        yield user.sends(BLOB_FEE, word(fork))
        hashes = tuple(b"\1" + bytes([index]) * 31 for index in range(L1_FORKS[fork].max_transaction_blobs or 6))
        yield user.sends(STORE, word(1) + word(2), tx_type=BLOB, blob_versioned_hashes=hashes,
                         max_fee_per_blob_gas=10**12)  # fmt: skip
    if fork >= L1Fork.PRAGUE:
        delegations = (delegates(fork, STORE), delegates(fork, STORE, chain_id=7))
        yield user.sends(USERS[9].address, word(3) + word(fork), tx_type=SET_CODE, authorization_list=delegations)
        yield user.sends(USERS[9].address, word(4) + word(fork))
    gas_cap = L1_FORKS[fork].max_transaction_gas
    if gas_cap is not None:
        yield user.sends(b"\x79" * 20, gas=gas_cap)


class L1:
    """An L1 of these forks, whose blocks are built one after the other."""

    def __init__(self, forks):
        devnet = make_devnet(DevnetParams(TIME, l1_forks=forks, attribution="none"))
        self.config = devnet.l1_config
        self.alloc = devnet.l1.file.alloc | {address: GenesisAccount(code=code) for address, code in CONTRACTS.items()}
        has_blobs = devnet.l1.header.excess_blob_gas is not None
        file = replace(devnet.l1.file, alloc=self.alloc, excess_blob_gas=40_000_000 if has_blobs else None)
        self.chain = Chain.open(MemoryStore(), l1_genesis_header(file), self.alloc)
        self.users = [Ledger(index) for index in range(8)]
        self.blocks = []

    def mine(self, transactions, builds_fast=True):
        parent = self.chain.head
        arguments = TIME + SLOT * (parent.number + 1), b"\xcb" * 20, 60_000_000, b"", b"\7" * 32, b"\6" * 32
        context = l1_context(self.config, parent.header, *arguments)
        ancestors = AncestorHashes(self.chain, parent.hash)
        builder = BlockBuilder(self.config, context, self.chain.states, ancestors, builds_fast)
        builder.begin()
        builder.apply_all(transactions)
        sealed = builder.seal()
        self.chain.insert(sealed.executed, sealed.staged)
        self.chain.set_head(sealed.executed.block.hash)
        self.blocks.append(sealed.executed.block)
        return sealed.executed

    def question(self):
        """The standard input of the program."""
        account = {
            address.hex(): {
                "balance": item.balance,
                "nonce": item.nonce,
                "code": item.code.hex(),
                "storage": item.storage,
            }
            for address, item in self.alloc.items()
        }
        names = [self.config.fork_at(block.timestamp).name.lower() for block in self.blocks]
        blocks = [[name, block.encode().hex()] for name, block in zip(names, self.blocks, strict=True)]
        genesis = self.chain.block_by_number(0).encode().hex()
        return json.dumps({"chain_id": 900, "genesis": genesis, "alloc": account, "blocks": blocks})


def deposit_event():
    """The data of a deposit event: five byte strings, each behind its length."""
    return encode(["bytes"] * 5, [bytes([size]) * size for size in (48, 32, 8, 96, 8)])


def must_be_the_same(l1):
    """Execution-specs takes the headers, and comes to their values."""
    python = os.environ.get("EXECUTION_SPECS_PYTHON")
    if python is None:
        pytest.skip("NO EXECUTION-SPECS: EXECUTION_SPECS_PYTHON must name a Python that has ethereum-execution")
    done = subprocess.run(
        [python, str(PROGRAM)], input=l1.question(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    for block, result in zip(l1.blocks, results, strict=False):
        header, fork = block.header, l1.config.fork_at(block.timestamp)
        assert "error" not in result, (fork, block.number, result)
        expected = FIELDS | {name for since, name in SINCE.items() if fork >= since}
        assert set(result) == expected | {"hash"}
        for name in expected:
            value = getattr(header, name)
            assert result[name] == (value if isinstance(value, int) else value.hex()), (fork, block.number, name)
        assert result["hash"] == block.hash.hex()
    assert len(results) == len(l1.blocks)


@pytest.mark.parametrize("fork", L1Fork, ids=lambda fork: fork.name.lower())
def test_blocks_of_every_kind_of_transaction_are_the_same(fork):
    l1 = L1(((fork, 0),))
    executed = l1.mine(everything(fork, l1.users[0]))
    assert len({receipt.gas_used for receipt in executed.receipts}) > 15
    l1.mine([])
    l1.mine(everything(fork, l1.users[1]), builds_fast=False)
    must_be_the_same(l1)


def test_deposits_to_the_stakers_contract_are_requests_of_the_block():
    l1 = L1(((L1Fork.OSAKA, 0),))
    user = l1.users[0]
    l1.mine([user.sends(DEPOSIT_CONTRACT, word(0) + deposit_event(), gas=500_000) for _ in range(2)])
    assert l1.blocks[0].header.requests_hash != EMPTY_REQUESTS_HASH
    l1.mine([user.sends(DEPOSIT_CONTRACT, word(1) + deposit_event()[:-1], gas=500_000)])  # another event
    assert l1.blocks[1].header.requests_hash == EMPTY_REQUESTS_HASH
    must_be_the_same(l1)


def test_a_malformed_deposit_event_makes_a_block_invalid():
    l1 = L1(((L1Fork.OSAKA, 0),))
    data = deposit_event()
    wrong = [data[:-1], data + b"\0"]
    for at in range(31, 160, 32):
        place = data[at - 1] * 256 + data[at]
        wrong += [data[:at] + b"\1" + data[at + 1 :], data[: place + 31] + b"\1" + data[place + 32 :]]
    for event in wrong:
        user = Ledger(0)
        with pytest.raises(InvalidBlock, match="deposit event"):
            l1.mine([user.sends(DEPOSIT_CONTRACT, word(0) + event, gas=500_000)])


def test_a_chain_through_every_fork_with_full_blocks_of_blobs_is_the_same():
    first = L1Fork.PRAGUE  # execution-specs read no header of Cancun as the parent of one of Prague
    forks = [fork for fork in L1Fork if fork >= first]
    l1 = L1(tuple((fork, TIME + SLOT * 3 * (fork - first) if fork > first else 0) for fork in forks))
    for _ in range(3 * len(forks)):
        fork = l1.config.fork_at(l1.chain.head.timestamp + SLOT)
        blobs, transactions = L1_FORKS[fork].blobs.max, []
        while blobs:
            count = min(blobs, 6)
            hashes = tuple(b"\1" + bytes([index]) * 31 for index in range(count))
            transactions.append(
                l1.users[0].sends(
                    STORE,
                    word(blobs) + word(fork),
                    tx_type=BLOB,
                    blob_versioned_hashes=hashes,
                    max_fee_per_blob_gas=10**12,
                )
            )
            blobs -= count
        l1.mine(transactions)
        assert l1.blocks[-1].header.blob_gas_used == L1_FORKS[fork].blobs.max * 2**17
    must_be_the_same(l1)
