"""The code that the network upgrade transactions deploy, by the hashes of the specification.

Specs protocol/ecotone/, fjord/, isthmus/ and jovian/derivation.md, "Network upgrade automation transactions".
"""

import pytest

from rollup.execution.genesis import L2GenesisParams, build_l2_alloc
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import keccak256
from rollup.protocol.upgrades import upgrade_transactions
from tests.contracts.evm import Evm
from tests.contracts.test_upgrades import apply_deposit
from tests.vectors.rollup_configs import rollup_config

TIME = 1_001
CODE_HASHES = {
    Fork.ECOTONE: {
        "L1Block": "c88a313aa75dc4fbf0b6850d9f9ae41e04243b7008cf3eadb29256d4a71c1dfd",
        "GasPriceOracle": "8b71360ea773b4cfaf1ae6d2bd15464a4e1e2e360f786e475f63aeaed8da0ae5",
    },
    Fork.FJORD: {"GasPriceOracle": "a88fa50a2745b15e6794247614b5298483070661adacb8d32d716434ed24c6b2"},
    Fork.ISTHMUS: {
        "L1Block": "8e3fe7a416d3e5f3b7be74ddd4e7e58e516fa3f80b67c6d930e3cd7297da4a4b",
        "GasPriceOracle": "4d195a9d7caf9fb6d4beaf80de252c626c853afd5868c4f4f8d19c9d301c2679",
        "OperatorFeeVault": "57dc55c9c09ca456fa728f253fe7b895d3e6aae0706104935fe87c7721001971",
        "EIP-2935": "6e49e66782037c0555897870e29fa5e552daf4719552131a0abce779daec0a5d",
    },
    Fork.JOVIAN: {
        "L1Block": "5f885ca815d2cf27a203123e50b8ae204fdca910b6995d90b2d7700cbb9240d1",
        "GasPriceOracle": "e9fc7c96c4db0d6078e3d359d7e8c982c350a513cb2c31121adf5e1e8a446614",
    },
}


def upgrade_of(fork: Fork) -> list[bytes]:
    """The upgrade transactions in the first block of a fork. The forks before it are active from genesis."""
    before = {older.name.lower(): 0 for older in Fork if Fork.BEDROCK < older < fork}
    return upgrade_transactions(rollup_config(ForkSchedule(**before | {fork.name.lower(): TIME})), TIME)


@pytest.mark.parametrize("fork", CODE_HASHES, ids=lambda fork: fork.name.lower())
def test_an_upgrade_deploys_the_code_of_the_specification(fork: Fork) -> None:
    # spec: jovian.l1-block-code, jovian.oracle-code, isthmus.l1-block-code, isthmus.oracle-code
    # spec: isthmus.operator-vault-code, isthmus.history-storage-code, fjord.oracle-code, ecotone.l1-block-code
    # spec: ecotone.oracle-code
    evm = Evm().load(build_l2_alloc(L2GenesisParams(timestamp=1, forks=ForkSchedule.all_at(Fork.CANYON))))
    deployed: list[bytes] = []
    for item in [item for item in CODE_HASHES if item <= fork]:
        created = [apply_deposit(evm, raw) for raw in upgrade_of(item)]
        deployed = [address for address in created if address is not None]
    hashes = [keccak256(evm.state.get_code(address)).hex() for address in deployed]
    assert set(CODE_HASHES[fork].values()) <= set(hashes)
