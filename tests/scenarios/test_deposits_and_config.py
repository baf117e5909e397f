"""Scenarios 11 and 12: what L1 does to L2."""

from rollup.execution.transition import create_address
from rollup.protocol.accounts import USERS
from tests.scenarios.actors import ETHER, World

DAVE = b"\xda" * 20
# Returns at once, as creation code.
CREATES_NOTHING = b"\x60\x00\x60\x00\xf3"


def deposits_of(node, number):
    """The user deposits of a block: without the L1 attributes."""
    return [tx for tx in node.chain.block_by_number(number).transactions[1:] if tx.is_deposit]


def settle(world):
    """The deposits out there are mined, sequenced, posted and derived."""
    world.l1.mine()
    world.sequencer.build_to_l1_head()
    world.batcher.post()
    world.l1.mine()
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)
    return verifier


def test_deposits_with_value_with_data_creating_a_contract_and_failing_on_l2():
    # spec: deposit.included, deposit.mint-first
    world = World()
    alice, bob, carol, eve = world.users[:4]
    alice.deposits(DAVE, mint=3 * ETHER)
    bob.deposits(DAVE, data=b"hello", gas=200_000)
    carol.deposits(None, creates=True, data=CREATES_NOTHING)
    # More value than it has on L2, beyond what it mints: the call fails, the mint stays.
    eve.deposits(DAVE, mint=2 * ETHER, value=world.params.user_balance + 3 * ETHER)
    verifier = settle(world)

    first_of_epoch = next(n for n in range(1, 10) if deposits_of(verifier, n))
    block = verifier.chain.block_by_number(first_of_epoch)
    receipts = verifier.chain.receipts(block.hash)[1:]
    assert [receipt.status for receipt in receipts] == [1, 1, 1, 0]
    assert [tx.sender for tx in block.transactions[1:]] == [user.address for user in (alice, bob, carol, eve)]
    assert verifier.balance(DAVE) == 3 * ETHER
    assert verifier.balance(eve.address) == world.params.user_balance + 2 * ETHER
    assert receipts[2].contract_address is not None
    assert receipts[0].deposit_nonce == 0
    assert receipts[0].deposit_receipt_version == 1
    # Deposits move the nonce, so that a contract's address is its own.
    assert verifier.nonce(carol.address) == 1


def test_a_deposit_from_a_contract_comes_from_its_alias():
    world = World()
    portal = world.config.deposit_contract_address
    # A contract that forwards its call data and value to the portal: CALLDATACOPY, CALL, done.
    forwarder = bytes.fromhex("365f5f375f5f365f34") + b"\x73" + portal + bytes.fromhex("5af100")
    creation = bytes.fromhex("60") + bytes([len(forwarder)]) + bytes.fromhex("80600b5f395ff3")
    creation = creation.ljust(11, b"\x00") + forwarder
    alice = world.users[0]
    creation_nonce = world.l1.pool.nonce(alice.address)
    alice.sends_on_l1(None, 0, creation)
    world.l1.mine()
    contract = create_address(alice.address, creation_nonce)
    request = alice.deposit_data(DAVE, value=ETHER)
    alice.sends_on_l1(contract, ETHER, request)
    verifier = settle(world)
    (deposit,) = [tx for n in range(1, verifier.safe.number + 1) for tx in deposits_of(verifier, n)]
    offset = int.from_bytes(bytes.fromhex("1111000000000000000000000000000000001111"), "big")
    alias = (int.from_bytes(contract, "big") + offset) % 2**160
    assert deposit.sender == alias.to_bytes(20, "big")
    assert verifier.balance(DAVE) == ETHER


def test_fifty_deposits_in_one_l1_block_come_in_order():
    # spec: attributes.transaction-order
    world = World()
    for number in range(50):
        world.users[number % 10].deposits(DAVE, mint=number + 1, gas=21_000)
    verifier = settle(world)
    minted = [tx.mint for n in range(1, verifier.safe.number + 1) for tx in deposits_of(verifier, n)]
    assert sorted(minted) == list(range(1, 51))
    assert len([n for n in range(1, verifier.safe.number + 1) if deposits_of(verifier, n)]) == 1
    assert verifier.balance(DAVE) == sum(range(1, 51))


def test_system_config_changes_are_in_force_from_that_origin():
    # spec: config.min-base-fee-in-header
    world = World()
    world.run_epochs(2)
    owner = world.owner
    owner.calls_system_config("setGasLimit(uint64)", 40_000_000)
    owner.calls_system_config("setGasConfigEcotone(uint32,uint32)", 5_000, 700_000)
    owner.calls_system_config("setEIP1559Params(uint32,uint32)", 100, 4)
    owner.calls_system_config("setOperatorFeeScalars(uint32,uint64)", 7, 12_345)
    owner.calls_system_config("setMinBaseFee(uint64)", 2_000_000_000)
    owner.calls_system_config("setDAFootprintGasScalar(uint16)", 600)
    world.run_epochs(4)
    verifier = settle(world)

    changed_at = next(
        number
        for number in range(1, verifier.safe.number + 1)
        if verifier.chain.block_by_number(number).header.gas_limit == 40_000_000
    )
    origin = verifier.origin(changed_at)
    assert origin.number == 3
    assert verifier.origin(changed_at - 1).number == 2
    before = verifier.chain.block_by_number(changed_at - 1).header
    after = verifier.chain.block_by_number(changed_at).header
    assert before.gas_limit == 60_000_000
    assert after.extra_data == b"\x01" + (100).to_bytes(4, "big") + (4).to_bytes(4, "big") + (2_000_000_000).to_bytes(
        8, "big"
    )
    # A block's base fee follows from its parent's parameters: the minimum holds one block later.
    assert after.base_fee_per_gas < 2_000_000_000
    assert verifier.chain.block_by_number(changed_at + 1).header.base_fee_per_gas == 2_000_000_000
    vault = bytes.fromhex("420000000000000000000000000000000000001b")
    assert verifier.balance(vault) == 0
    world.users[0].sends(USERS[1].address, value=1)
    world.sequencer.build()
    assert world.sequencer.balance(vault) == 21_000 * 7 * 100 + 12_345


def test_the_batchers_key_rotates_from_that_l1_block_on():
    # spec: retrieval.sender
    world = World()
    world.run_epochs(2)
    old = world.batcher
    newcomer = USERS[9]
    world.owner.calls_system_config("setBatcherHash(bytes32)", newcomer.address.rjust(32, b"\0"))
    world.l1.mine()
    verifier = world.new_verifier()
    verifier.derive()
    safe = verifier.safe.number

    # The old key is refused from then on, and its batches are posted again by the new one.
    world.sequencer.build_to_l1_head()
    old.post()
    world.l1.mine(2)
    verifier.derive()
    assert verifier.safe.number == safe
    world.sequencer.derive()
    world.batcher = world.new_batcher(newcomer.private_key)
    world.batcher.post()
    world.l1.mine(2)
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=world.sequencer.chain.head.number)
