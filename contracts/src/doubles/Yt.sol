// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Token} from "./Token.sol";

/// @title Yt
/// @notice A Pendle yield token double: the index that it has stored is settable.
contract Yt is Token {
    /// @notice The highest exchange rate of the SY that the YT has seen, scaled by 1e18.
    uint256 public pyIndexStored = 1e18;

    constructor(string memory symbol_, uint8 decimals_) Token(symbol_, symbol_, decimals_) {}

    /// @notice Sets the stored index, scaled by 1e18.
    function setPyIndexStored(uint256 index) external {
        pyIndexStored = index;
    }
}
