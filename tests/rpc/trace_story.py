"""Transactions in which every kind of frame begins and ends in every way that a tracer shows."""

from eth_account import Account

from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import DYNAMIC_FEE, SET_CODE, Authorization, Transaction

GWEI = 10**9
WETH = bytes.fromhex("4200000000000000000000000000000000000006")
CALL, CALLCODE, DELEGATECALL, STATICCALL = 0xF1, 0xF2, 0xF4, 0xFA
SENDER, DELEGATING = USERS[5], USERS[6]


def push(*values):
    """Pushes, the last one ends on top."""
    code = b""
    for value in values:
        number = int.from_bytes(value, "big") if isinstance(value, bytes) else value
        size = 20 if isinstance(value, bytes) and len(value) == 20 else max((number.bit_length() + 7) // 8, 1)
        code += bytes((0x5F + size,)) + number.to_bytes(size, "big")
    return code


def store(data, start=0):
    """Writes bytes to memory, in whole words."""
    code = b""
    for offset in range(0, len(data), 32):
        code += b"\x7f" + data[offset : offset + 32].ljust(32, b"\0") + push(start + offset) + b"\x52"
    return code


def call(kind, target, gas=50_000, value=0, data=(0, 0), output=(0, 0)):
    """A call whose success is dropped."""
    money = push(value) if kind in (CALL, CALLCODE) else b""
    return push(output[1], output[0], data[1], data[0]) + money + push(target, gas) + bytes((kind,)) + b"\x50"


def deploying(runtime):
    """Init code that returns some code."""
    return store(runtime) + push(len(runtime), 0) + b"\xf3"


def creating(init, value=0, salt=None):
    """CREATE or CREATE2 with some init code; the address stays on the stack."""
    more = b"" if salt is None else push(salt)
    return store(init, 0) + more + push(len(init), 0, value) + (b"\xf0" if salt is None else b"\xf5")


LOG = push(7, 3, 2, 0) + b"\xa2"  # LOG2(3, 7) of two bytes
REVERTING = store(
    bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (2).to_bytes(32, "big") + b"no".ljust(32, b"\0")
)
REVERTING += push(100, 0) + b"\xfd"
WRITER = push(1, 1) + b"\x55" + push(0, 1) + b"\x55" + LOG + b"\0"  # sets and clears slot 1, logs
KILLER = push(SENDER.address) + b"\xff"
RECURSIVE = push(0, 0, 0, 0, 0) + b"\x30\x5a\xf1" + LOG + b"\0"  # calls itself with all it has, then logs

DEPOSIT = bytes.fromhex("d0e30db0")
# Init codes by name; each is run by a transaction that creates. Then the gas of the transaction.
CREATIONS = {
    "precompiles": (
        store(b"\1" * 40)
        + call(CALL, 4, data=(0, 40), output=(64, 40))
        + call(STATICCALL, 2, data=(0, 40), output=(64, 32))
        + call(DELEGATECALL, 1, data=(0, 128))
        + call(CALL, 6, data=(0, 128))
        + call(CALL, 4, gas=5, data=(0, 40)),
        400_000,
    ),
    "calls": (
        store(DEPOSIT)
        + call(CALL, WETH, value=1, data=(0, 4))
        + call(CALLCODE, WETH, value=1, data=(0, 4))
        + call(DELEGATECALL, WETH, data=(0, 4))
        + call(STATICCALL, WETH, data=(0, 4))
        + call(CALL, WETH, gas=100, data=(0, 4))
        + call(CALL, b"\xdd" * 20, value=1)
        + call(STATICCALL, b"\xde" * 20),
        900_000,
    ),
    "no funds": (
        call(CALL, WETH, value=10**30, data=(0, 4))
        + call(CALLCODE, WETH, value=10**30, data=(0, 4))
        + creating(deploying(b"\1\0"), value=10**30)
        + b"\x50"
        + creating(deploying(b"\1\0"), value=10**30, salt=5),
        900_000,
    ),
    "creations": (
        creating(deploying(WRITER))
        + creating(REVERTING)
        + creating(deploying(b"\1\0"), salt=1)
        + creating(b"")
        + creating(LOG + REVERTING)
        + LOG
        + creating(deploying(b"\xef\0")),
        1_000_000,
    ),
    "a taken address": (creating(deploying(b"\1\0"), salt=1) + creating(deploying(b"\1\0"), salt=1), 1_000_000),
    "too much code": (creating(push(25_000, 0) + b"\xf3"), 6_000_000),
    "a creation that is invalid": (creating(b"\xfe") + creating(b""), 400_000),
    "a child": (
        creating(deploying(WRITER))
        + b"".join(push(0, 0, 0, 0, *([0] if kind in (CALL, CALLCODE) else ())) + bytes((place, 0x5A, kind, 0x50))
                   for kind, place in ((CALL, 0x84), (CALLCODE, 0x84), (DELEGATECALL, 0x83), (STATICCALL, 0x83)))
        + call(STATICCALL, 0)
        + LOG,
        3_000_000,
    ),
    "selfdestruct": (creating(KILLER, value=1) + KILLER, 500_000),
    "a dead contract": (
        creating(deploying(KILLER), value=1) + push(0, 0, 0, 0, 0) + b"\x85\x5a\xf1" + b"\x84\x31\x3f\x3b",
        500_000,
    ),
    "reverts": (LOG + REVERTING, 200_000),
    "reverts in silence": (push(0, 0) + b"\xfd", 200_000),
    "out of gas": (b"\x5b" + push(0) + b"\x56", 100_000),
    "out of gas in memory": (push(1, 2**40) + b"\x52", 100_000),
    "out of gas in a hash": (push(100_000, 0) + b"\x20", 100_000),
    "out of gas in storage": (push(1, 1) + b"\x55" + push(1, 2) + b"\x55", 96_000),
    "no gas for storage": (push(0, 0, 0, 0, 0) + b"\x30\x5a\xf1" + push(1, 1) + b"\x55", 56_000),
    "invalid jump": (push(3) + b"\x56", 100_000),
    "undefined opcode": (push(3) + b"\x0c", 100_000),
    "invalid": (push(3) + b"\xfe", 100_000),
    "stack underflow": (push(3) + b"\x01", 100_000),
    "stack overflow": (b"\x5b\x58\x58" + push(0) + b"\x56", 100_000),
    "return data out of bounds": (push(1, 0, 0) + b"\x3e", 100_000),
    "code that cannot be paid for": (push(5_000, 0) + b"\xf3", 200_000),
    "everything else": (
        push(5, 1) + b"\x5d" + push(1) + b"\x5c\x30\x31\x46\x48\x4a\x41\x42\x44\x45\x3d\x5a\x59\x58"
        + push(WETH) + b"\x3b" + push(WETH) + b"\x3f" + push(4, 0, 0, WETH) + b"\x3c"
        + push(32, 0, 64) + b"\x5e" + push(9, 4) + b"\x0a" + push(32, 0, 0) + b"\x39"
        + push(64, 0) + b"\x20" + push(1) + b"\x40" + push(1) + b"\x54" + push(64, 0) + b"\xfd",
        300_000,
    ),
}  # fmt: skip


class TraceStory:
    """The transactions by name, in the blocks of a node; recursive: a contract that calls itself."""

    def __init__(self, node):
        self.node = node
        self.hashes = {}
        self.recursive: Address = b""

    @classmethod
    def told(cls, node):
        """Plays it in a few blocks."""
        story = cls(node)
        for name, (code, gas) in CREATIONS.items():
            story.send(name, None, code, gas, value=3)
        story.build()
        story.send("deployment", None, deploying(RECURSIVE), 300_000)
        story.build()
        location = node.l2.chain.find_transaction(story.hashes["deployment"])
        story.recursive = node.l2.chain.receipts(location.block_hash)[location.index].contract_address
        story.send("recursion", story.recursive, b"\1\2\3\4\5", 400_000)
        story.send("transfer", b"\xab" * 20, b"", 21_000, value=5)
        story.send("deposit", WETH, DEPOSIT, 100_000, value=5)
        story.send("withdraw", WETH, bytes.fromhex("2e1a7d4d") + (2).to_bytes(32, "big"), 100_000)
        story.delegate(story.recursive)
        story.send("a delegating account", DELEGATING.address, b"\1\2\3\4", 200_000)
        story.build()
        return story

    def send(self, name, to, data, gas, value=0, tx_type=DYNAMIC_FEE, **more):
        """Puts a transaction into the pool."""
        pool = self.node.l2.pool
        transaction = Transaction(
            tx_type, nonce=pool.nonce(SENDER.address), chain_id=901, gas_limit=gas, max_fee_per_gas=100 * GWEI,
            max_priority_fee_per_gas=GWEI, to=to, value=value, data=data, **more,
        ).signed(SENDER.private_key)  # fmt: skip
        self.hashes[name] = pool.add(transaction.encode())

    def delegate(self, target):
        """A set-code transaction that lets an account run a contract's code."""
        signed = Account.sign_authorization({"chainId": 901, "address": target, "nonce": 0}, DELEGATING.private_key)
        item = Authorization(901, target, 0, signed.y_parity, signed.r, signed.s)
        self.send("set code", DELEGATING.address, b"\1", 300_000, 0, SET_CODE, authorization_list=(item,))

    def build(self):
        """Blocks until the pool is empty."""
        while self.node.l2.pool.pending(0) and any(True for _ in self.node.l2.pool.pending(0)):
            self.node.build_l2()
