"""Our genesis has the preinstalls of real chains, and the contracts that upgrades deploy."""

from rollup.execution.genesis import preinstalls, system_contracts
from rollup.execution.genesis_json import parse_genesis
from rollup.protocol.predeploys import BEACON_ROOTS, CREATE2_DEPLOYER, HISTORY_STORAGE
from rollup.protocol.primitives import keccak256
from tests.contracts.evm import Evm
from tests.contracts.official import creation_code
from tests.vector_files import load


def test_our_preinstalls_are_the_ones_of_a_real_chain() -> None:

    real = parse_genesis({**load("genesis", "ink-mainnet")["genesis"], "config": {}}).alloc
    ours = preinstalls()
    assert len(ours) == 14
    for address, account in ours.items():
        assert (account.code, account.nonce) == (real[address].code, 1), address.hex()


def test_the_create2_deployer_is_the_one_the_canyon_rule_sets() -> None:
    # specs protocol/canyon/exec-engine.md gives the code's hash.

    expected = "b0550b5b431e30d38000efb7107aaa0ade03d48a7198a140edda9d27134468b2"
    assert keccak256(preinstalls()[CREATE2_DEPLOYER].code).hex() == expected


def test_beacon_roots_code_is_what_the_ecotone_deposit_deploys() -> None:

    for fork, intent, address in (
        ("ecotone", "Ecotone: beacon block roots contract deployment", BEACON_ROOTS),
        ("isthmus", "Isthmus: EIP-2935 Contract Deployment", HISTORY_STORAGE),
    ):
        evm = Evm()
        deployed = evm.deploy(creation_code(fork, intent), b"\x0f" * 20)
        assert evm.state.get_code(deployed) == system_contracts()[address].code
