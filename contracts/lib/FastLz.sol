// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice The length FastLZ level 1 would give, without the output (specs: protocol/fjord/exec-engine.md).
library FastLz {
    uint256 private constant TABLE_ENTRIES = 8192;
    uint256 private constant MAX_DISTANCE = 8191;
    uint256 private constant TAIL = 13; // the last bytes are always literals
    uint256 private constant MAX_LITERALS = 32;
    uint256 private constant MAX_MATCH = 262;

    function compressedLength(bytes memory data) internal pure returns (uint256 size) {
        unchecked {
            uint256 anchor;
            if (data.length > TAIL) {
                uint256 limit = data.length - TAIL;
                uint256[] memory table = new uint256[](TABLE_ENTRIES);
                uint256 position = 2;
                while (position < limit) {
                    (uint256 found, uint256 origin) = _findMatch(data, table, position, limit);
                    if (found >= limit) break;
                    size += _literalsSize(found - anchor);
                    uint256 length = _matchLength(data, origin + 3, found + 3, limit + 9);
                    size += _matchSize(length);
                    position = found + length;
                    table[_hash(_read24(data, position))] = position;
                    table[_hash(_read24(data, position + 1))] = position + 1;
                    position += 2;
                    anchor = position;
                }
            }
            size += _literalsSize(data.length - anchor);
        }
    }

    /// @dev The first position from `position` on whose three bytes were seen within reach; `limit` if there is none.
    function _findMatch(bytes memory data, uint256[] memory table, uint256 position, uint256 limit)
        private
        pure
        returns (uint256, uint256)
    {
        unchecked {
            // The reference steps past a position before it looks at the match, so one at limit - 1 is never taken.
            for (; position + 1 < limit; ++position) {
                uint256 sequence = _read24(data, position);
                uint256 slot = _hash(sequence);
                uint256 origin = table[slot];
                table[slot] = position;
                if (position - origin <= MAX_DISTANCE && sequence == _read24(data, origin)) return (position, origin);
            }
            return (limit, 0);
        }
    }

    /// @dev Equal bytes at `left` and `right`, plus one for the byte that differs unless `end` came first.
    function _matchLength(bytes memory data, uint256 left, uint256 right, uint256 end) private pure returns (uint256) {
        unchecked {
            uint256 most = end - right;
            for (uint256 length; length < most; ++length) {
                if (data[left + length] != data[right + length]) return length + 1;
            }
            return most;
        }
    }

    function _literalsSize(uint256 count) private pure returns (uint256 size) {
        unchecked {
            size = (MAX_LITERALS + 1) * (count / MAX_LITERALS);
            uint256 rest = count % MAX_LITERALS;
            if (rest != 0) size += rest + 1;
        }
    }

    function _matchSize(uint256 length) private pure returns (uint256) {
        unchecked {
            uint256 rest = length - 1;
            return 3 * (rest / MAX_MATCH) + (rest % MAX_MATCH >= 6 ? 3 : 2);
        }
    }

    function _hash(uint256 sequence) private pure returns (uint256) {
        unchecked {
            return ((2654435769 * sequence) >> 19) & (TABLE_ENTRIES - 1);
        }
    }

    /// @dev Three bytes, the first lowest.
    function _read24(bytes memory data, uint256 position) private pure returns (uint256 value) {
        assembly {
            let word := mload(add(add(data, 32), position))
            value := or(byte(0, word), or(shl(8, byte(1, word)), shl(16, byte(2, word))))
        }
    }
}
