// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Token} from "./Token.sol";

/// @title Sy
/// @notice A Pendle standardized-yield token double: accounting asset, yield token and exchange rate are settable.
contract Sy is Token {
    enum AssetType {
        TOKEN,
        LIQUIDITY
    }

    /// @notice The token that the SY wraps.
    address public yieldToken;
    /// @notice Accounting asset per SY, scaled by 1e18 over raw units.
    uint256 public exchangeRate = 1e18;
    AssetType private assetType;
    address private assetAddress;
    uint8 private assetDecimals;

    constructor(string memory symbol_, uint8 decimals_, address yieldToken_, address asset_, uint8 assetDecimals_)
        Token(symbol_, symbol_, decimals_)
    {
        yieldToken = yieldToken_;
        assetAddress = asset_;
        assetDecimals = assetDecimals_;
    }

    /// @notice The asset in whose units the PT accrues.
    function assetInfo() external view returns (AssetType, address, uint8) {
        return (assetType, assetAddress, assetDecimals);
    }

    /// @notice One SY is redeemed for one yield token, in raw units.
    function previewRedeem(address, uint256 amount) external pure returns (uint256) {
        return amount;
    }

    /// @notice Replaces the accounting asset.
    function setAssetInfo(AssetType assetType_, address asset_, uint8 assetDecimals_) external {
        assetType = assetType_;
        assetAddress = asset_;
        assetDecimals = assetDecimals_;
    }

    /// @notice Sets the exchange rate, scaled by 1e18.
    function setExchangeRate(uint256 rate) external {
        exchangeRate = rate;
    }
}
