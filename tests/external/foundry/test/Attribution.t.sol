// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "../src/Registry.sol";

contract AttributionTest {
    function testItAnswers() external view {
        require(ATTRIBUTION.version() == 1, "version");
    }

    function testItWrites() external {
        Registry registry = new Registry();
        registry.create(keccak256("first"));
        uint64 first = registry.datanet();
        registry.create(keccak256("second"));
        require(registry.datanet() == first + 1, "the next id");
    }

    function testItsErrorsAreTyped() external {
        VM.expectRevert(abi.encodeWithSelector(IAttribution.UnknownModel.selector, 77));
        ATTRIBUTION.usage(77);
    }
}
