// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice An EIP-1967 proxy: its admin manages it, everyone else talks to the implementation.
/// @dev    address(0) counts as admin: no key signs for it, but fork-activation deposits are sent from it
///         (specs: protocol/ecotone/derivation.md, network upgrade transactions).
contract Proxy {
    bytes32 private constant IMPLEMENTATION_SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    bytes32 private constant ADMIN_SLOT = bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1);

    event Upgraded(address indexed implementation);
    event AdminChanged(address previousAdmin, address newAdmin);

    modifier adminElseForward() {
        if (msg.sender == _read(ADMIN_SLOT) || msg.sender == address(0)) {
            _;
        } else {
            _forward();
        }
    }

    constructor(address _admin) {
        _changeAdmin(_admin);
    }

    receive() external payable {
        _forward();
    }

    fallback() external payable {
        _forward();
    }

    function upgradeTo(address _implementation) external adminElseForward {
        _setImplementation(_implementation);
    }

    function upgradeToAndCall(address _implementation, bytes calldata _data)
        external
        payable
        adminElseForward
        returns (bytes memory)
    {
        _setImplementation(_implementation);
        (bool success, bytes memory result) = _implementation.delegatecall(_data);
        require(success, "Proxy: delegatecall to new implementation contract failed");
        return result;
    }

    function changeAdmin(address _admin) external adminElseForward {
        _changeAdmin(_admin);
    }

    function admin() external adminElseForward returns (address) {
        return _read(ADMIN_SLOT);
    }

    function implementation() external adminElseForward returns (address) {
        return _read(IMPLEMENTATION_SLOT);
    }

    function _setImplementation(address _implementation) private {
        _write(IMPLEMENTATION_SLOT, _implementation);
        emit Upgraded(_implementation);
    }

    function _changeAdmin(address _admin) private {
        emit AdminChanged(_read(ADMIN_SLOT), _admin);
        _write(ADMIN_SLOT, _admin);
    }

    function _forward() private {
        address target = _read(IMPLEMENTATION_SLOT);
        require(target != address(0), "Proxy: implementation not initialized");
        assembly {
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if success { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }

    function _read(bytes32 slot) private view returns (address value) {
        assembly {
            value := sload(slot)
        }
    }

    function _write(bytes32 slot, address value) private {
        assembly {
            sstore(slot, value)
        }
    }
}
