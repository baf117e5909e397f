// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice How L1 sells L2 gas (specs: protocol/guaranteed-gas-market.md).
struct ResourceConfig {
    uint32 maxResourceLimit;
    uint8 elasticityMultiplier;
    uint8 baseFeeMaxChangeDenominator;
    uint32 minimumBaseFee;
    uint32 systemTxMaxGas;
    uint128 maximumBaseFee;
}

/// @notice A market like EIP-1559's for the L2 gas that deposits buy; the price is burnt as L1 gas.
abstract contract ResourceMetering {
    error OutOfGas();

    struct ResourceParams {
        uint128 prevBaseFee;
        uint64 prevBoughtGas;
        uint64 prevBlockNum;
    }

    uint256 private constant WAD = 1e18;

    uint8 private _initialized;
    bool private _initializing;
    ResourceParams public params;
    uint256[48] private __gap;

    /// @dev Charges for `amount` of L2 gas once the body has run, less the L1 gas it used already.
    modifier metered(uint64 amount) {
        uint256 initialGas = gasleft();
        _;
        _meter(amount, initialGas);
    }

    function resourceConfig() internal view virtual returns (ResourceConfig memory);

    function _meter(uint64 amount, uint256 initialGas) private {
        // spec: portal.burn, portal.block-limit
        ResourceConfig memory config = resourceConfig();
        ResourceParams memory current = params;
        // Computed in every case: the gas of a deposit that was estimated in one block suffices in a later one.
        uint128 next = _nextBaseFee(config, current);
        if (block.number > current.prevBlockNum) {
            (current.prevBaseFee, current.prevBoughtGas, current.prevBlockNum) = (next, 0, uint64(block.number));
        }
        current.prevBoughtGas += amount;
        if (current.prevBoughtGas > config.maxResourceLimit) revert OutOfGas();
        params = current;
        // An L1 base fee below 1 gwei counts as 1 gwei, so that a cheap L1 does not make deposits burn whole blocks.
        uint256 price = block.basefee > 1 gwei ? block.basefee : 1 gwei;
        uint256 cost = uint256(amount) * current.prevBaseFee / price;
        uint256 used = initialGas - gasleft();
        if (cost > used) _burnGas(cost - used);
    }

    function _nextBaseFee(ResourceConfig memory config, ResourceParams memory current) private view returns (uint128) {
        int256 target = int256(uint256(config.maxResourceLimit / config.elasticityMultiplier));
        int256 denominator = int256(uint256(config.baseFeeMaxChangeDenominator));
        int256 fee = int256(uint256(current.prevBaseFee));
        int256 excess = int256(uint256(current.prevBoughtGas)) - target;
        fee = _clamp(fee + fee * excess / (target * denominator), config);
        uint256 passed = block.number - current.prevBlockNum;
        // Empty blocks leave the least fee as it is.
        if (passed > 1 && fee > int256(uint256(config.minimumBaseFee))) {
            uint256 decay = _power(WAD - WAD / uint256(denominator), passed - 1);
            fee = _clamp(fee * int256(decay) / int256(WAD), config);
        }
        return uint128(uint256(fee));
    }

    /// @dev Both fees bound as the configuration says; they are below 2**128, so no conversion loses a bit.
    function _clamp(int256 fee, ResourceConfig memory config) private pure returns (int256) {
        int256 least = int256(uint256(config.minimumBaseFee));
        int256 most = int256(uint256(config.maximumBaseFee));
        return fee < least ? least : fee > most ? most : fee;
    }

    /// @dev base**exponent, both base and result times WAD, base at most WAD.
    function _power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = WAD;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = result * base / WAD;
            base = base * base / WAD;
        }
    }

    function _burnGas(uint256 amount) private view {
        uint256 start = gasleft();
        uint256 turns;
        while (start - gasleft() < amount) ++turns;
    }
}
