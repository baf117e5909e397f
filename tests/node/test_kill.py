"""SIGKILL of a whole node at any point: what it had announced and acknowledged is still there, and is derived equal."""

import random
import threading

import pytest

from rollup.node import Node, NodeParams
from tests.node.node_process import L1, L2, NodeProcess, call, transfer


class Users:
    """Send transfers on both layers, one after the other, and remember which the node acknowledged."""

    def __init__(self):
        self.acknowledged = {L1: [], L2: []}
        self.nonces = {(layer, user): 0 for layer in (L1, L2) for user in range(4)}

    def send_until_it_dies(self, node):
        """Sends transfers from another thread until the node does not answer."""
        while True:
            for (layer, user), nonce in list(self.nonces.items()):
                transaction = transfer(900 if layer == L1 else 901, user, nonce)
                try:
                    call(node.url(layer), "eth_sendRawTransaction", "0x" + transaction.encode().hex())
                except OSError:
                    # The last one may have been taken in or not: the next run asks.
                    return
                self.acknowledged[layer].append(transaction.hash)
                self.nonces[layer, user] = nonce + 1

    def ask_for_nonces(self, node):
        for layer, user in self.nonces:
            sender = "0x" + transfer(901, user, 0).sender.hex()
            nonce = int(call(node.url(layer), "eth_getTransactionCount", sender, "pending"), 16)
            assert nonce >= self.nonces[layer, user]
            self.nonces[layer, user] = nonce


def run_and_kill(folder, users, r):
    """A node under load, killed after some events and a random part of the next action; what it had announced."""
    options = ("--instant", "--block-time=1", "--l1-block-time=2", f"--da={r.choice(['calldata', 'blobs'])}")
    with NodeProcess(f"--data-dir={folder}", *options) as node:
        assert node.started is not None, node.errors()
        users.ask_for_nonces(node)
        sending = threading.Thread(target=users.send_until_it_dies, args=(node,))
        sending.start()
        for _ in range(r.randrange(1, 30)):
            node.next_event()
        # Spin, not sleep: a random part of an action's time.
        for _ in range(r.randrange(200_000)):
            pass
        node.kill()
        sending.join()
        return node


def check(folder, node, users):
    """Opens the directory as the next start would, and has it derive everything."""
    params = {"l1_block_time": 2, "l2_block_time": 1, "virtual_clock": True}
    opened = Node.open(NodeParams(data_dir=folder, **params))
    try:
        for chain, kind in ((opened.l1.chain, "L1BlockMined"), (opened.l2.chain, "L2BlockBuilt")):
            for event in node.of(kind):
                assert chain.canonical_hash(event["number"]).hex() == event["hash"][2:]
        for chain, pool, layer in (
            (opened.l1.chain, opened.l1.pool, L1),
            (opened.l2.chain, opened.l2.pool, L2),
        ):
            for tx_hash in users.acknowledged[layer]:
                assert chain.find_transaction(tx_hash) is not None or pool.get(tx_hash) is not None
        safe = max([event["number"] for event in node.of("SafeHeadMoved")], default=0)
        assert opened.l2.chain.safe.number >= safe
        opened.run_until_safe(opened.l2.chain.head.number + 1)
        verified = opened.verifier.derivation.safe_head
        assert verified.hash == opened.l2.chain.canonical_hash(verified.number)
        assert opened.verifier.chain.state_at(verified.hash).account(transfer(901, 0, 0).sender).nonce > 0
        for tx_hash in users.acknowledged[L2]:
            assert opened.l2.chain.find_transaction(tx_hash).block_number <= verified.number
    finally:
        opened.close()


def kill_often(folder, times, seed):
    r, users = random.Random(seed), Users()
    for _ in range(times):
        node = run_and_kill(folder, users, r)
        check(folder, node, users)
    assert min(len(hashes) for hashes in users.acknowledged.values()) >= times


def test_two_kills(tmp_path):
    kill_often(tmp_path / "chain", 2, 1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills(tmp_path):
    kill_often(tmp_path / "chain", 20, 1000)
