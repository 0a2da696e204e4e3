// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

/// @dev Decimals that are not known: there is no such token, or it does not tell.
uint8 constant NO_DECIMALS = 255;

/// @notice What a feed is created with; it stands behind the clone's code and can never change.
struct FeedArguments {
    uint16 fundId;
    uint8 decimals;
    uint8 shareDecimals;
    uint8 baseDecimals;
    address shares;
    address base;
}

/// @title FeedArgumentsCodec
/// @notice The arguments as bytes: fundId:16 | decimals:8 | shareDecimals:8 | baseDecimals:8 | shares:160 | base:160.
library FeedArgumentsCodec {
    uint256 private constant LENGTH = 45;

    /// @dev The bytes to create a feed with.
    function pack(FeedArguments memory own) internal pure returns (bytes memory) {
        return abi.encodePacked(own.fundId, own.decimals, own.shareDecimals, own.baseDecimals, own.shares, own.base);
    }

    /// @dev The arguments of the clone that this code runs for; `known` is false where no clone is.
    function ofThis() internal view returns (bool known, FeedArguments memory found) {
        bytes memory packed = Clones.fetchCloneArgs(address(this));
        if (packed.length != LENGTH) return (false, found);
        uint256 head;
        uint256 tail;
        assembly ("memory-safe") {
            // The first 32 and the last 32 of the 45 bytes.
            head := mload(add(packed, 32))
            tail := mload(add(packed, 45))
        }
        found.fundId = uint16(head >> 240);
        found.decimals = uint8(head >> 232);
        found.shareDecimals = uint8(head >> 224);
        found.baseDecimals = uint8(head >> 216);
        found.shares = address(uint160(head >> 56));
        found.base = address(uint160(tail));
        return (true, found);
    }
}
