// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// What a payment to many costs without pools: the two usual ways to split one fee among a fixed list of payees,
/// and a pool in Solidity. Written for the comparisons in docs/attribution-gas.md and docs/performance.md.

struct Payee {
    address account;
    uint96 share;
}

/// Sends each payee its part at once.
contract PushSplitter {
    Payee[] private payees;
    uint256 private total;

    function pay() external payable {
        uint256 count = payees.length;
        uint256 sum = total;
        for (uint256 i = 0; i < count; ++i) {
            Payee memory payee = payees[i];
            (bool sent,) = payee.account.call{value: msg.value * payee.share / sum}("");
            require(sent);
        }
    }
}

/// Credits each payee its part; each withdraws later.
contract CreditSplitter {
    Payee[] private payees;
    uint256 private total;
    mapping(address => uint256) private credits;

    function pay() external payable {
        uint256 count = payees.length;
        uint256 sum = total;
        for (uint256 i = 0; i < count; ++i) {
            Payee memory payee = payees[i];
            credits[payee.account] += msg.value * payee.share / sum;
        }
    }
}

/// Credits a pool once, however many payees it has: a payee's part is worked out when it withdraws.
contract PoolSplitter {
    uint256 private total;
    uint256 private perShare; // wei per share so far, times 2^96
    mapping(address => uint256) private shares;
    mapping(address => uint256) private taken; // perShare at the payee's last withdrawal

    function pay() external payable {
        perShare += (msg.value << 96) / total;
    }

    function withdraw() external {
        uint256 amount = (shares[msg.sender] * (perShare - taken[msg.sender])) >> 96;
        taken[msg.sender] = perShare;
        (bool sent,) = msg.sender.call{value: amount}("");
        require(sent);
    }
}
