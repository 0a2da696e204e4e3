// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title LoanOracle
/// @notice The oracle of a Morpho market, whose price can be set.
contract LoanOracle {
    /// @notice Raw units of the loan token per raw unit of collateral, scaled by 1e36.
    uint256 public price;

    /// @notice Sets the price.
    function setPrice(uint256 price_) external {
        price = price_;
    }
}
