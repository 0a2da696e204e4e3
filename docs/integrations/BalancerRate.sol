// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "src/feeds/INavFeed.sol";

/// @notice Balancer's rate provider.
interface IRateProvider {
    function getRate() external view returns (uint256);
}

/// @notice The part of a Balancer v3 token configuration that names a rate.
struct TokenRate {
    address token;
    IRateProvider rateProvider;
}

/// @title BalancerRate
/// @notice Pairs a fund's share token with its feed for the registration of a pool.
contract BalancerRate {
    /// @notice The feed is the rate provider as it is. While it reverts, so does every operation of the pool that needs the
    /// rate: that is what a pool wants while its price would be wrong.
    function tokenRate(INavFeed feed) external view returns (TokenRate memory) {
        (, address shares,,,) = feed.fund();
        return TokenRate(shares, IRateProvider(address(feed)));
    }
}
