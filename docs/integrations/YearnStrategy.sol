// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {INavFeed} from "src/feeds/INavFeed.sol";

/// @title YearnStrategy
/// @notice The report of a Yearn v3 strategy that holds a fund's shares. A real one inherits tokenized-strategy's
/// `BaseStrategy`, whose `report` calls `_harvestAndReport`; only what concerns the fund is shown.
abstract contract YearnStrategy {
    IERC20 internal immutable asset;
    IERC20 internal immutable shares;
    INavFeed internal immutable feed;

    /// @notice The strategy counts in another asset than the fund.
    error OtherAsset(address asset, address base);

    constructor(IERC20 asset_, INavFeed feed_) {
        (, address shares_,, address base,) = feed_.fund();
        if (address(asset_) != base) revert OtherAsset(address(asset_), base);
        (asset, shares, feed) = (asset_, IERC20(shares_), feed_);
    }

    /// @dev `getQuote` reverts while the value should not be relied on, and the report with it: no profit or loss is booked on
    /// a doubtful price, and the strategy's last one stays. Keep the health check on beside it.
    function _harvestAndReport() internal virtual returns (uint256 totalAssets) {
        uint256 held = shares.balanceOf(address(this));
        uint256 inFund = held == 0 ? 0 : feed.getQuote(held, address(shares), address(asset));
        return asset.balanceOf(address(this)) + inFund;
    }
}
