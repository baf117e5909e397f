"""The chain that web3.py's module tests read: its contracts, a block with a log, an empty block, a reverted call.

web3.py makes it once on geth and keeps the data directory (tests/integration/generate_fixtures of ethereum/web3.py);
here it is made on a running node, on either layer.
"""

from dataclasses import dataclass
from typing import Any

from web3 import HTTPProvider, Web3
from web3._utils.contract_sources.contract_data._custom_contract_data import EMITTER_ENUM
from web3._utils.contract_sources.contract_data.emitter_contract import EMITTER_CONTRACT_DATA
from web3._utils.contract_sources.contract_data.math_contract import MATH_CONTRACT_DATA
from web3._utils.contract_sources.contract_data.offchain_lookup import OFFCHAIN_LOOKUP_DATA
from web3._utils.contract_sources.contract_data.panic_errors_contract import PANIC_ERRORS_CONTRACT_DATA
from web3._utils.contract_sources.contract_data.revert_contract import REVERT_CONTRACT_DATA
from web3._utils.contract_sources.contract_data.storage_contract import STORAGE_CONTRACT_DATA

from rollup.protocol.accounts import USERS

CONTRACTS = {
    "math": MATH_CONTRACT_DATA,
    "emitter": EMITTER_CONTRACT_DATA,
    "revert": REVERT_CONTRACT_DATA,
    "offchain_lookup": OFFCHAIN_LOOKUP_DATA,
    "panic_errors": PANIC_ERRORS_CONTRACT_DATA,
    "storage": STORAGE_CONTRACT_DATA,
}
TIMEOUT = 60
MOST_BLOCKS = 20  # in which all transactions of a test are


def web3_of(url):
    return Web3(HTTPProvider(url, request_kwargs={"timeout": TIMEOUT}))


@dataclass
class Web3pyChain:
    """The objects that web3.py's fixtures name, made on one layer of a node."""

    url: str
    account: str
    addresses: dict[str, str]
    deploy: dict[str, Any]
    log_transaction: Any
    block_with_log: Any
    mined: Any
    block_with_transaction: Any
    empty_block: Any

    @classmethod
    def made(cls, url):
        """Makes it by transactions of an account whose key the node has."""
        w3 = web3_of(url)
        sender = w3.to_checksum_address("0x" + USERS[0].address.hex())

        def receipt(hash_):
            w3.provider.make_request("evm_mine", [])
            return w3.eth.wait_for_transaction_receipt(hash_, timeout=TIMEOUT, poll_latency=0.05)

        deploy = {
            name: w3.eth.contract(**data).constructor().transact({"from": sender}) for name, data in CONTRACTS.items()
        }
        addresses = {name: receipt(hash_)["contractAddress"] for name, hash_ in deploy.items()}
        # The balance of the genesis block's fee recipient has to change.
        miner = w3.eth.get_block(0)["miner"]
        receipt(w3.eth.send_transaction({"from": sender, "to": miner, "value": 1, "gas": 50_000}))
        # Each in a block of its own: the tests read the first transaction of these blocks.
        emitter = w3.eth.contract(addresses["emitter"], abi=EMITTER_CONTRACT_DATA["abi"])
        which = EMITTER_ENUM["LogDoubleWithIndex"]
        log = receipt(emitter.functions.logDouble(which, 12345, 54321).transact({"from": sender}))
        mined = receipt(w3.eth.send_transaction({"from": sender, "to": sender, "value": 1, "gas": 21_000}))
        return cls(
            url=url,
            account=sender,
            addresses=addresses,
            deploy=deploy,
            log_transaction=log["transactionHash"],
            block_with_log=log["blockHash"],
            mined=mined["transactionHash"],
            block_with_transaction=mined["blockHash"],
            empty_block=cls._empty(w3),
        )

    @staticmethod
    def _empty(w3):
        """The hash of the newest block without a transaction: on L2 that is genesis, every other has a deposit."""
        blocks = (w3.eth.get_block(number) for number in range(w3.eth.block_number, -1, -1))
        return next(block["hash"] for block in blocks if not block["transactions"])

    def mine_every(self, seconds):
        """Sets the time between blocks; 0 mines none."""
        answer = web3_of(self.url).provider.make_request("evm_setIntervalMining", [seconds])
        assert answer["result"] is True

    def empty_pool(self):
        """Mines until no transaction of the node's accounts can run; those that wait behind a gap of nonces stay."""
        provider = web3_of(self.url).provider
        for _ in range(MOST_BLOCKS):
            if not provider.make_request("eth_pendingTransactions", [])["result"]:
                return
            assert "error" not in provider.make_request("evm_mine", [])
        raise AssertionError("transactions are not mined")
