// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "src/feeds/INavFeed.sol";

/// @notice The part of Euler's router that its governor uses.
interface IEulerRouter {
    function govSetConfig(address base, address quote, address oracle) external;
}

/// @title EulerRoute
/// @notice What the governor of an Euler router does, once for a fund. The router keeps one oracle for a pair and asks it in
/// either direction; the feed answers both.
contract EulerRoute {
    IEulerRouter public immutable router;

    constructor(IEulerRouter router_) {
        router = router_;
    }

    /// @dev In a real deployment the governor makes this call itself; here the contract is the governor.
    function route(INavFeed feed) external {
        (, address shares,, address base,) = feed.fund();
        router.govSetConfig(shares, base, address(feed));
    }
}
