// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "./INavFeed.sol";
import {INavRegistry} from "../INavRegistry.sol";
import {NavFeed} from "./NavFeed.sol";

/// @title NavFeedStrict
/// @notice The code behind the feeds that answer a value that may be relied on now, or revert with the registry's error.
contract NavFeedStrict is NavFeed {
    /// @param registry_ The registry of every feed that uses this code.
    constructor(INavRegistry registry_) NavFeed(registry_) {}

    /// @inheritdoc INavFeed
    function isStrict() public pure override returns (bool) {
        return true;
    }

    function _served(uint256 fundId) internal view override returns (uint256 pps, uint256 valuationTs) {
        pps = registry.ppsOrRevert(fundId);
        (, valuationTs) = super._served(fundId);
    }
}
