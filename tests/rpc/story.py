"""The chain behind the read tests: it has transfers, a contract that logs and fails, and a deposit."""

from dataclasses import dataclass

from eth_abi import encode
from eth_account import Account

from rollup.node import Node
from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import keccak256
from rollup.protocol.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, SET_CODE, Authorization, Transaction

GWEI, ETHER = 10**9, 10**18
TOPIC_A, TOPIC_B = b"\xaa" * 32, b"\xbb" * 32

# By the first byte of the call data: 0 logs twice, 1 reverts with Error("no"), 2 is an invalid opcode, 3 reverts with
# Panic(0x11), 4 reverts without data, 5 writes slot 1, 6 loops without end, 7 returns slot 1.
_ERROR = bytes.fromhex("08c379a0") + encode(["string"], ["no"])
_PANIC = bytes.fromhex("4e487b71") + encode(["uint256"], [0x11])


def _reverting(data: bytes) -> bytes:
    code = b""
    padded = data.ljust(-(-len(data) // 32) * 32, b"\0")
    for offset in range(0, len(padded), 32):
        code += b"\x7f" + padded[offset : offset + 32] + b"\x60" + bytes((offset,)) + b"\x52"  # PUSH32 PUSH1 MSTORE
    return code + b"\x60" + bytes((len(data),)) + b"\x60\0\xfd"


_CASES = [
    b"\x60\x2a\x60\0\x52\x7f" + TOPIC_B + b"\x7f" + TOPIC_A + b"\x60\x20\x60\0\xa2"  # LOG2(A, B) of 42
    b"\x7f" + TOPIC_A + b"\x60\0\x60\0\xa1\0",  # LOG1(A), empty
    _reverting(_ERROR),
    b"\xfe",
    _reverting(_PANIC),
    b"\x60\0\x60\0\xfd",
    b"\x60\x2a\x60\x01\x55\0",
    b"\x5b\x58\x60\x01\x90\x03\x56",  # JUMPDEST; PC - 1; JUMP
    b"\x60\x01\x54\x60\0\x52\x60\x20\x60\0\xf3",
]


def contract_code() -> bytes:
    """Runtime code: a jump table over the first byte, then the cases."""
    table = b"\x60\0\x35\x60\xf8\x1c"  # CALLDATALOAD(0) >> 248
    bodies, offset = [], len(table) + len(_CASES) * 8 + 1
    for index, body in enumerate(_CASES):
        # DUP1, PUSH1 index, EQ, PUSH2 offset, JUMPI
        table += b"\x80\x60" + bytes((index,)) + b"\x14\x61" + offset.to_bytes(2, "big") + b"\x57"
        bodies.append(b"\x5b" + body)
        offset += len(bodies[-1])
    return table + b"\0" + b"".join(bodies)


def init_code(runtime: bytes) -> bytes:
    """Returns the runtime code."""
    size = len(runtime).to_bytes(2, "big")
    return b"\x61" + size + b"\x80\x60\x0c\x60\0\x39\x60\0\xf3" + runtime


@dataclass
class Story:
    """The node, and the hashes of what it did."""

    node: Node
    transfer: bytes
    legacy: bytes
    access_list: bytes
    creation: bytes
    logging: bytes
    failing: bytes
    set_code: bytes
    deposit_l1: bytes
    contract: bytes
    sender: bytes

    @classmethod
    def told(cls, node: Node) -> "Story":
        """Plays it."""
        alice, bob, carol, dave = USERS[:4]
        pool, l1_pool = node.l2.pool, node.l1.pool

        def send(account, tx_type=DYNAMIC_FEE, chain_id=901, target=None, **fields):
            where = pool if target is None else target
            legacy = tx_type in (LEGACY, ACCESS_LIST)
            transaction = Transaction(
                tx_type,
                nonce=where.nonce(account.address),
                chain_id=chain_id,
                gas_limit=fields.pop("gas_limit", 300_000),
                max_fee_per_gas=100 * GWEI,
                max_priority_fee_per_gas=100 * GWEI if legacy else GWEI,
                **fields,
            ).signed(account.private_key)
            return where.add(transaction.encode())

        portal = node.devnet.rollup_config.deposit_contract_address
        arguments = encode(["address", "uint256", "uint64", "bool", "bytes"], [bob.address, ETHER, 100_000, False, b""])
        selector = keccak256(b"depositTransaction(address,uint256,uint64,bool,bytes)")[:4]
        deposit = send(
            alice, chain_id=900, target=l1_pool, to=portal, value=2 * ETHER, data=selector + arguments, gas_limit=10**6
        )
        node.run_until_safe(2)
        creation = send(alice, data=init_code(contract_code()), gas_limit=10**6)
        node.build_l2()
        receipt = _receipt(node, creation)
        contract = receipt.contract_address
        assert receipt.status == 1
        transfer = send(alice, to=bob.address, value=ETHER)
        legacy = send(alice, LEGACY, to=bob.address, value=1)
        listed = send(alice, ACCESS_LIST, to=bob.address, value=1, access_list=((contract, (bytes(32),)),))
        logging = send(alice, to=contract, data=b"\0")
        failing = send(alice, to=contract, data=b"\1")
        set_code = send(
            dave, SET_CODE, to=carol.address, authorization_list=(_authorization(carol, contract, pool),), data=b"\7"
        )
        node.build_l2()
        send(alice, to=contract, data=b"\5")
        node.build_l2()
        node.run_until_safe(node.l2.chain.head.number)
        return cls(
            node, transfer, legacy, listed, creation, logging, failing, set_code, deposit, contract, alice.address
        )


def _authorization(account, target, pool):
    signed = Account.sign_authorization(
        {"chainId": 901, "address": target, "nonce": pool.nonce(account.address)}, account.private_key
    )
    return Authorization(901, target, signed.nonce, signed.y_parity, signed.r, signed.s)


def _receipt(node, tx_hash):
    location = node.l2.chain.find_transaction(tx_hash)
    return node.l2.chain.receipts(location.block_hash)[location.index]
