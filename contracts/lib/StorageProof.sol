// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Rlp} from "./Rlp.sol";

/// @notice Reads a value out of a secure Merkle-Patricia trie by its proof (Ethereum yellow paper, appendix D).
library StorageProof {
    using Rlp for Rlp.Item;

    error InvalidProof();

    uint256 private constant BRANCH_ITEMS = 17;
    uint256 private constant PATH_NIBBLES = 64;

    /// @notice The RLP the trie of `root` holds at keccak(key); reverts unless `proof` (root first) shows it.
    /// @dev    A node shorter than 32 bytes is embedded in its parent and is not an element of the proof, as in
    ///         eth_getProof.
    function get(bytes32 root, bytes32 key, bytes[] calldata proof) internal pure returns (bytes memory) {
        // spec: withdrawal.conditions
        bytes32 path = keccak256(abi.encodePacked(key));
        if (proof.length == 0 || keccak256(proof[0]) != root) revert InvalidProof();
        Rlp.Item memory node = Rlp.decode(proof[0]);
        uint256 used = 1;
        uint256 depth;
        while (true) {
            Rlp.Item[] memory fields = node.items();
            Rlp.Item memory next;
            if (fields.length == BRANCH_ITEMS) {
                if (depth == PATH_NIBBLES) return _last(fields[16], used, proof.length);
                next = fields[_nibble(path, depth)];
                depth += 1;
            } else if (fields.length == 2) {
                bool isLeaf;
                (depth, isLeaf) = _follow(fields[0].content(), path, depth);
                if (isLeaf) return _last(fields[1], used, proof.length);
                next = fields[1];
            } else {
                revert InvalidProof();
            }
            if (next.isList) {
                node = next;
            } else {
                if (next.length != 32 || used == proof.length) revert InvalidProof();
                if (keccak256(proof[used]) != bytes32(next.content())) revert InvalidProof();
                node = Rlp.decode(proof[used]);
                used += 1;
            }
        }
        revert InvalidProof();
    }

    /// @dev Compares a compact path with the key's and says how deep it leads and whether a leaf ends there.
    function _follow(bytes memory compact, bytes32 path, uint256 depth) private pure returns (uint256, bool isLeaf) {
        if (compact.length == 0) revert InvalidProof();
        uint256 flag = uint8(compact[0]) >> 4;
        if (flag > 3) revert InvalidProof();
        isLeaf = flag >= 2;
        uint256 first = flag & 1 == 1 ? 1 : 2; // an even path starts after a padding nibble, which must be zero
        if (first == 2 && uint8(compact[0]) & 0x0f != 0) revert InvalidProof();
        uint256 count = compact.length * 2 - first;
        if (depth + count > PATH_NIBBLES) revert InvalidProof();
        for (uint256 index; index < count; ++index) {
            uint256 position = first + index;
            uint256 pair = uint8(compact[position / 2]);
            uint256 nibble = position % 2 == 0 ? pair >> 4 : pair & 0x0f;
            if (nibble != _nibble(path, depth + index)) revert InvalidProof();
        }
        depth += count;
        if (isLeaf != (depth == PATH_NIBBLES)) revert InvalidProof();
        return (depth, isLeaf);
    }

    /// @dev The value, once nothing of the proof is left over.
    function _last(Rlp.Item memory value, uint256 used, uint256 total) private pure returns (bytes memory result) {
        if (used != total) revert InvalidProof();
        result = value.content();
        if (result.length == 0) revert InvalidProof();
    }

    function _nibble(bytes32 path, uint256 index) private pure returns (uint256) {
        uint256 pair = uint8(path[index / 2]);
        return index % 2 == 0 ? pair >> 4 : pair & 0x0f;
    }
}
