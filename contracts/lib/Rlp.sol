// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice Reads canonical RLP in memory (Ethereum yellow paper, appendix B).
library Rlp {
    error MalformedRlp();

    /// @dev An item: where in `source` its payload starts, and the payload's length in bytes.
    struct Item {
        bytes source;
        uint256 payload;
        uint256 length;
        bool isList;
    }

    /// @notice The one item that fills `data`.
    function decode(bytes memory data) internal pure returns (Item memory item) {
        item = _read(data, 0, data.length);
        if (end(item) != data.length) revert MalformedRlp();
    }

    /// @notice The items of a list.
    function items(Item memory list) internal pure returns (Item[] memory result) {
        if (!list.isList) revert MalformedRlp();
        uint256 limit = end(list);
        uint256 count;
        for (uint256 position = list.payload; position < limit; ++count) {
            position = end(_read(list.source, position, limit));
        }
        result = new Item[](count);
        uint256 at = list.payload;
        for (uint256 index; index < count; ++index) {
            result[index] = _read(list.source, at, limit);
            at = end(result[index]);
        }
    }

    /// @notice The payload of a string.
    function content(Item memory item) internal pure returns (bytes memory) {
        if (item.isList) revert MalformedRlp();
        return _slice(item.source, item.payload, item.length);
    }

    function end(Item memory item) internal pure returns (uint256) {
        return item.payload + item.length;
    }

    function _read(bytes memory data, uint256 position, uint256 limit) private pure returns (Item memory item) {
        if (position >= limit) revert MalformedRlp();
        uint256 prefix = uint8(data[position]);
        if (prefix < 0x80) return Item(data, position, 1, false);
        bool isList = prefix >= 0xc0;
        uint256 short = prefix - (isList ? 0xc0 : 0x80);
        uint256 payload = position + 1;
        uint256 length = short;
        if (short > 55) {
            uint256 width = short - 55;
            if (payload + width > limit) revert MalformedRlp();
            length = _number(data, payload, width);
            payload += width;
            if (length <= 55) revert MalformedRlp();
        }
        if (length > limit - payload) revert MalformedRlp();
        // A single byte below 0x80 stands for itself.
        if (!isList && length == 1 && uint8(data[payload]) < 0x80) revert MalformedRlp();
        return Item(data, payload, length, isList);
    }

    function _number(bytes memory data, uint256 position, uint256 width) private pure returns (uint256 value) {
        if (data[position] == 0) revert MalformedRlp();
        for (uint256 index; index < width; ++index) {
            value = value << 8 | uint8(data[position + index]);
        }
    }

    function _slice(bytes memory data, uint256 start, uint256 length) private pure returns (bytes memory result) {
        result = new bytes(length);
        for (uint256 index; index < length; ++index) {
            result[index] = data[start + index];
        }
    }
}
