// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILoanRate, Morpho} from "./Morpho.sol";

/// @title LoanRate
/// @notice The rate model of a Morpho market: one rate for everybody, which can be set.
contract LoanRate is ILoanRate {
    /// @notice Interest per second, scaled by 1e18.
    uint256 public rate;

    /// @notice Sets the rate. What a market has not accrued yet accrues at the new one.
    function setRate(uint256 rate_) external {
        rate = rate_;
    }

    /// @inheritdoc ILoanRate
    function borrowRateView(Morpho.MarketParams memory, Morpho.Market memory) external view returns (uint256) {
        return rate;
    }
}
