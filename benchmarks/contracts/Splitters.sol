// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// What a payment to many costs without pools: the two usual ways to split one fee among a fixed list of payees.
/// Written for the comparison in docs/attribution.md; not deployed by anything.

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
