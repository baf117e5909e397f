"""No vector is passed over in silence: every folder has the modules that run it, and they take every file in it."""

from importlib.util import find_spec

from tests.vector_files import folder

# A module runs every file of its folder and fails on a case or a file it does not know.
RUNNERS = {
    "blobs": ["test_blobs", "test_blob_kzg"],
    "channels_batches": ["test_channels_batches"],
    "deposits": ["test_deposits"],
    "derivation": ["test_derivation"],
    "derivation_rules": ["test_derivation_rules"],
    "eip1559": ["test_eip1559"],
    "exec_blocks": ["test_exec_blocks"],
    "exec_blocks_celo": ["test_exec_blocks"],
    "exec_vectors": ["test_exec_vectors"],
    "fees": ["test_fees"],
    "generic": ["test_generic_state", "test_generic_blocks", "test_generic_transactions", "test_precompiles"],
    "genesis": ["test_genesis"],
    "l1_info": ["test_l1_info"],
    "outputs_withdrawals": ["test_outputs_withdrawals", "test_trie_rlp"],
    "payloads": ["test_payloads"],
    "receipts": ["test_receipts"],
    "system_config": ["test_system_config"],
    "upgrades": ["test_upgrades"],
}


def test_every_folder_has_its_runners() -> None:
    present = {path.name for path in folder().iterdir() if path.is_dir()}
    assert present <= RUNNERS.keys(), f"no runner for {sorted(present - RUNNERS.keys())}"


def test_every_runner_is_there() -> None:
    modules = {module for modules in RUNNERS.values() for module in modules}
    missing = [module for module in sorted(modules) if find_spec(f"tests.vectors.{module}") is None]
    assert not missing
