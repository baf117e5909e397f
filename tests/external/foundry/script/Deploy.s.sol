// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "../src/Registry.sol";

contract Deploy {
    function run() external {
        VM.startBroadcast();
        Registry registry = new Registry();
        registry.create(keccak256("from a script"));
        VM.stopBroadcast();
        require(registry.datanet() > 0, "an id");
    }
}
