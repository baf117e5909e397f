// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Proxy} from "./Proxy.sol";

/// @notice The admin of every proxy of a layer, and the one owner behind it.
contract ProxyAdmin {
    address public owner;

    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    modifier onlyOwner() {
        require(msg.sender == owner, "Ownable: caller is not the owner");
        _;
    }

    constructor(address _owner) {
        _transferOwnership(_owner);
    }

    function transferOwnership(address newOwner) external onlyOwner {
        require(newOwner != address(0), "Ownable: new owner is the zero address");
        _transferOwnership(newOwner);
    }

    function renounceOwnership() external onlyOwner {
        _transferOwnership(address(0));
    }

    function getProxyImplementation(address _proxy) external returns (address) {
        return Proxy(payable(_proxy)).implementation();
    }

    function getProxyAdmin(address payable _proxy) external returns (address) {
        return Proxy(_proxy).admin();
    }

    function changeProxyAdmin(address payable _proxy, address _newAdmin) external onlyOwner {
        Proxy(_proxy).changeAdmin(_newAdmin);
    }

    function upgrade(address payable _proxy, address _implementation) external onlyOwner {
        Proxy(_proxy).upgradeTo(_implementation);
    }

    function upgradeAndCall(address payable _proxy, address _implementation, bytes calldata _data)
        external
        payable
        onlyOwner
    {
        Proxy(_proxy).upgradeToAndCall{value: msg.value}(_implementation, _data);
    }

    function _transferOwnership(address newOwner) private {
        emit OwnershipTransferred(owner, newOwner);
        owner = newOwner;
    }
}
