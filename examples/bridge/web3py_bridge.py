"""The whole bridge with web3.py: a deposit from L1 to L2, and a withdrawal back in three steps.

Start a chain with `openrollup run`, then: python examples/bridge/web3py_bridge.py
Other nodes, contracts and keys: the environment variables L1_URL, L2_URL, PORTAL, ORACLE, PRIVATE_KEY.
"""

import os
import time

from eth_abi import decode
from eth_account import Account
from web3 import Web3

l1 = Web3(Web3.HTTPProvider(os.environ.get("L1_URL", "http://127.0.0.1:8545")))
l2 = Web3(Web3.HTTPProvider(os.environ.get("L2_URL", "http://127.0.0.1:9545")))
account = Account.from_key(
    # The third public development account.
    os.environ.get("PRIVATE_KEY", "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")
)
WITHDRAWAL = "(uint256,address,address,uint256,uint256,bytes)"
OUTPUT_PROOF = "(bytes32,bytes32,bytes32,bytes32)"


def function(name, inputs, outputs=(), payable=False):
    """One entry of an ABI; a tuple is written as its types in brackets."""

    def parameter(kind):
        if kind.startswith("("):
            return {"type": "tuple", "name": "", "components": [parameter(item) for item in kind[1:-1].split(",")]}
        return {"type": kind, "name": ""}

    return {
        "type": "function",
        "name": name,
        "inputs": [parameter(kind) for kind in inputs],
        "outputs": [parameter(kind) for kind in outputs],
        "stateMutability": "payable" if payable else "nonpayable",
    }


portal = l1.eth.contract(
    Web3.to_checksum_address(os.environ.get("PORTAL", "0x9000000000000000000000000000000000000001")),
    abi=[
        function("depositTransaction", ["address", "uint256", "uint64", "bool", "bytes"], payable=True),
        function("proveWithdrawalTransaction", [WITHDRAWAL, "uint256", OUTPUT_PROOF, "bytes[]"]),
        function("finalizeWithdrawalTransaction", [WITHDRAWAL]),
        function("provenWithdrawals", ["bytes32"], ["bytes32", "uint128", "uint128"]),
    ],
)
oracle = l1.eth.contract(
    Web3.to_checksum_address(os.environ.get("ORACLE", "0x9000000000000000000000000000000000000003")),
    abi=[
        function("latestBlockNumber", [], ["uint256"]),
        function("getL2OutputIndexAfter", ["uint256"], ["uint256"]),
        function("getL2Output", ["uint256"], ["(bytes32,uint128,uint128)"]),
        function("FINALIZATION_PERIOD_SECONDS", [], ["uint256"]),
    ],
)
passer = l2.eth.contract(
    Web3.to_checksum_address("0x4200000000000000000000000000000000000016"),
    abi=[function("initiateWithdrawal", ["address", "uint256", "bytes"], payable=True)],
)


def send(web3, call, value=0):
    """Signs, sends and waits for the receipt."""
    nonce = web3.eth.get_transaction_count(account.address, "pending")
    request = call.build_transaction({"from": account.address, "value": value, "nonce": nonce})
    tx_hash = web3.eth.send_raw_transaction(account.sign_transaction(request).raw_transaction)
    receipt = web3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.2)
    assert receipt["status"] == 1, f"{tx_hash.hex()} failed"
    return receipt


def wait(what, find):
    """Asks until there is an answer."""
    print(f"waiting for {what}", flush=True)
    while not (found := find()):
        time.sleep(0.2)
    return found


def deposit(receiver, amount):
    """Deposits and waits for the transaction that appears on L2."""
    receipt = send(l1, portal.functions.depositTransaction(receiver, amount, 100_000, False, b""), amount)
    log = next(item for item in receipt["logs"] if item["address"] == portal.address)
    # The L2 transaction's hash follows from the log (specs protocol/deposits.md): source hash, then the RLP of the
    # deposit. Asking the L2 for the block with this L1 origin is simpler: its deposits name their source hash.
    source = Web3.keccak(bytes(32) + Web3.keccak(log["blockHash"] + log["logIndex"].to_bytes(32, "big")))
    first = l2.eth.block_number

    def find():
        for number in range(max(first - 5, 1), l2.eth.block_number + 1):
            for item in l2.eth.get_block(number, full_transactions=True)["transactions"]:
                if item["type"] == 0x7E and Web3.to_bytes(hexstr=str(item["sourceHash"])) == source:
                    return item["hash"]
        return None

    arrived = wait("the deposit on L2", find)
    assert l2.eth.get_transaction_receipt(arrived)["status"] == 1


def withdraw(receiver, amount):
    """Starts, proves and finalizes a withdrawal."""
    started = send(l2, passer.functions.initiateWithdrawal(receiver, 100_000, b""), amount)
    log = next(item for item in started["logs"] if item["address"] == passer.address)
    value, gas, data, withdrawal_hash = decode(["uint256", "uint256", "bytes", "bytes32"], bytes(log["data"]))
    sender, target = (Web3.to_checksum_address(topic[12:]) for topic in log["topics"][2:])
    withdrawal = (int.from_bytes(log["topics"][1], "big"), sender, target, value, gas, data)
    print(f"started in L2 block {started['blockNumber']}, withdrawal 0x{withdrawal_hash.hex()}")

    number = started["blockNumber"]
    wait("an output root of that block", lambda: oracle.functions.latestBlockNumber().call() >= number)
    index = oracle.functions.getL2OutputIndexAfter(number).call()
    _, _, block_number = oracle.functions.getL2Output(index).call()
    slot = Web3.keccak(withdrawal_hash + bytes(32))
    proof = l2.provider.make_request("eth_getProof", [passer.address, ["0x" + slot.hex()], hex(block_number)])["result"]
    block = l2.eth.get_block(block_number)
    root = (bytes(32), block["stateRoot"], Web3.to_bytes(hexstr=proof["storageHash"]), block["hash"])
    nodes = [Web3.to_bytes(hexstr=node) for node in proof["storageProof"][0]["proof"]]
    proven = send(l1, portal.functions.proveWithdrawalTransaction(withdrawal, index, root, nodes))
    print(f"proven in L1 block {proven['blockNumber']}")

    period = oracle.functions.FINALIZATION_PERIOD_SECONDS().call()
    _, since, _ = portal.functions.provenWithdrawals(withdrawal_hash).call()
    wait(f"the finalization period of {period} s", lambda: l1.eth.get_block("latest")["timestamp"] > since + period)
    finalized = send(l1, portal.functions.finalizeWithdrawalTransaction(withdrawal))
    print(f"finalized in L1 block {finalized['blockNumber']}")


def main():
    """A deposit of 7 wei and a withdrawal of 5, to an account that nobody uses."""
    receiver = Account.create().address
    deposit(receiver, 7)
    assert l2.eth.get_balance(receiver) == 7
    print("deposited 7 wei")
    withdraw(receiver, 5)
    assert l1.eth.get_balance(receiver) == 5
    print("withdrew 5 wei")


if __name__ == "__main__":
    main()
