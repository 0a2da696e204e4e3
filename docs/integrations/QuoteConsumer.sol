// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "src/feeds/INavFeed.sol";

/// @title QuoteConsumer
/// @notice Values shares in the fund's asset, and back, through ERC-7726. Decimals are the feed's business.
contract QuoteConsumer {
    INavFeed public immutable feed;
    address public immutable shares;
    address public immutable asset;

    constructor(INavFeed feed_) {
        feed = feed_;
        (, shares,, asset,) = feed_.fund();
    }

    /// @notice What an account's shares are worth, in raw units of the asset, rounded down.
    /// @dev Reverts with `OracleUntrustedData` while the fund is held, paused, estimated, stale or closed.
    function valueOf(uint256 shareAmount) external view returns (uint256) {
        return feed.getQuote(shareAmount, shares, asset);
    }

    /// @notice The most shares that an amount of the asset is worth, rounded down.
    function sharesFor(uint256 assetAmount) external view returns (uint256) {
        return feed.getQuote(assetAmount, asset, shares);
    }
}
