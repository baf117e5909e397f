// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice Whether withdrawals stand still, and who may say so (specs: protocol/superchain-config.md).
contract SuperchainConfig {
    string public constant version = "1.2.0";
    bytes32 public constant PAUSED_SLOT = bytes32(uint256(keccak256("superchainConfig.paused")) - 1);
    bytes32 public constant GUARDIAN_SLOT = bytes32(uint256(keccak256("superchainConfig.guardian")) - 1);

    event Paused(string identifier);
    event Unpaused();

    modifier onlyGuardian() {
        require(msg.sender == guardian(), "SuperchainConfig: only guardian can pause");
        _;
    }

    function guardian() public view returns (address) {
        return address(uint160(_read(GUARDIAN_SLOT)));
    }

    function paused() external view returns (bool) {
        return _read(PAUSED_SLOT) != 0;
    }

    function pause(string calldata _identifier) external onlyGuardian {
        _write(PAUSED_SLOT, 1);
        emit Paused(_identifier);
    }

    function unpause() external onlyGuardian {
        _write(PAUSED_SLOT, 0);
        emit Unpaused();
    }

    function _read(bytes32 slot) private view returns (uint256 value) {
        assembly {
            value := sload(slot)
        }
    }

    function _write(bytes32 slot, uint256 value) private {
        assembly {
            sstore(slot, value)
        }
    }
}
