// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "src/feeds/INavFeed.sol";

/// @notice The part of Morpho Blue that creates a market.
interface IMorpho {
    struct MarketParams {
        address loanToken;
        address collateralToken;
        address oracle;
        address irm;
        uint256 lltv;
    }

    function createMarket(MarketParams memory params) external;
}

/// @title MorphoMarket
/// @notice Opens a market in which a fund's shares are the collateral and the asset that it is counted in is lent. The feed
/// is the oracle as it is: `price()` is in Morpho's scale.
contract MorphoMarket {
    IMorpho public immutable morpho;

    /// @notice The feed has no `price()` now; its own error says why.
    error NoPriceNow(bytes reason);

    constructor(IMorpho morpho_) {
        morpho = morpho_;
    }

    /// @param feed A feed of the fund; both flavours have the same strict `price()`.
    /// @param irm An interest rate model that Morpho allows.
    /// @param lltv A liquidation threshold that Morpho allows, scaled by 1e18.
    function open(INavFeed feed, address irm, uint256 lltv) external {
        // A market's oracle can never be changed: look at it before, not after.
        try feed.price() returns (uint256) {}
        catch (bytes memory reason) {
            revert NoPriceNow(reason);
        }
        (, address shares,, address base,) = feed.fund();
        morpho.createMarket(IMorpho.MarketParams(base, shares, address(feed), irm, lltv));
    }
}
