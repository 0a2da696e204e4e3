// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AggregatorV3Interface} from "src/feeds/AggregatorV3Interface.sol";

/// @title ChainlinkConsumer
/// @notice Reads a fund through `NavFeed` or `NavFeedStrict` as it would read any Chainlink feed.
contract ChainlinkConsumer {
    AggregatorV3Interface public immutable feed;
    /// @notice Seconds. More than the time between two posts and not more than a value may be relied on.
    uint256 public immutable maxAge;

    error StalePrice(uint256 updatedAt, uint256 maxAge);
    error BadPrice(int256 answer);

    constructor(AggregatorV3Interface feed_, uint256 maxAge_) {
        feed = feed_;
        maxAge = maxAge_;
    }

    /// @notice The price per share, scaled by the feed's decimals.
    function price() external view returns (uint256) {
        (, int256 answer,, uint256 updatedAt,) = feed.latestRoundData();
        // With NavFeed this check is the only one there is: it answers the last good value for ever. With NavFeedStrict the
        // registry's own limit holds too, and a held or paused fund reverts.
        if (block.timestamp > updatedAt + maxAge) revert StalePrice(updatedAt, maxAge);
        if (answer <= 0) revert BadPrice(answer);
        return uint256(answer);
    }
}
