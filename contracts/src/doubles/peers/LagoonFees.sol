// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {LagoonLayout} from "./LagoonLayout.sol";

/// @title LagoonFees
/// @notice The fees of a Lagoon vault, minted as shares. Every division rounds up, in the fee's favour.
/// @dev Behaviour from hopperlabsxyz/lagoon-v0 src/v0.6.0/libraries/FeeLib.sol. The vault is its own fee registry.
abstract contract LagoonFees is LagoonLayout, ERC4626 {
    using Math for uint256;

    uint256 private constant FEE_YEAR = 365 days;
    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_PROTOCOL_RATE = 3_000;
    Math.Rounding private constant UP = Math.Rounding.Ceil;

    /// @notice The registry's part of every fee (basis points).
    uint256 public protocolRate;
    address public protocolFeeReceiver;

    event HighWaterMarkUpdated(uint256 oldHighWaterMark, uint256 newHighWaterMark);
    event FeeTaken(
        FeeType indexed feeType,
        uint256 shares,
        uint16 rate,
        uint40 contextId,
        uint256 managerShares,
        uint256 protocolShares
    );

    error HighWaterMarkResetNotAllowed();

    function feeRates() external view returns (Rates memory) {
        return _fees().rates;
    }

    /// @notice What the registry says of the protocol's part; anybody may set it here.
    function setProtocolFee(uint256 rate, address receiver) external {
        (protocolRate, protocolFeeReceiver) = (rate, receiver);
    }

    /// @notice Moves the high-water mark to the price per share, where the vault was made so that it may.
    function resetHighWaterMark() external onlySafe {
        if (!_fees().allowHighWaterMarkReset) revert HighWaterMarkResetNotAllowed();
        uint256 price = convertToAssets(_oneShare());
        emit HighWaterMarkUpdated(_fees().highWaterMark, price);
        _fees().highWaterMark = price;
    }

    /// @dev Charges for the time since the last settlement, on the mean of the assets before and after the new
    /// valuation, then for the gain above the mark of what is left; moves the mark and the clock.
    function _takeManagementAndPerformanceFees(uint40 contextId, uint256 previousTotalAssets) internal {
        Fees storage fees = _fees();
        Rates memory rates = fees.rates;
        uint256 assets = totalAssets();
        uint256 virtualSupply = totalSupply() + 10 ** _decimalsOffset();

        uint256 management = ((assets + previousTotalAssets) / 2).mulDiv(rates.managementRate, BPS, UP)
            .mulDiv(block.timestamp - fees.lastFeeTime, FEE_YEAR, UP);
        uint256 price = _oneShare().mulDiv(assets + 1 - management, virtualSupply, UP);
        uint256 performance;
        if (price > fees.highWaterMark) {
            uint256 profit = (price - fees.highWaterMark).mulDiv(totalSupply(), _oneShare(), UP);
            performance = profit.mulDiv(rates.performanceRate, BPS, UP);
        }
        // The shares are priced as if both fees had left the vault: minting them dilutes all others by as much.
        uint256 left = assets - (management + performance) + 1;
        uint256 managementShares = management.mulDiv(virtualSupply, left, UP);
        uint256 performanceShares = performance.mulDiv(virtualSupply, left, UP);
        _mintFee(managementShares, FeeType.Management, rates.managementRate, contextId);
        _mintFee(performanceShares, FeeType.Performance, rates.performanceRate, contextId);

        uint256 after_ = convertToAssets(_oneShare());
        if (after_ > fees.highWaterMark) {
            emit HighWaterMarkUpdated(fees.highWaterMark, after_);
            fees.highWaterMark = after_;
        }
        fees.lastFeeTime = block.timestamp;
    }

    /// @dev Mints a fee to the manager and the protocol; a fee wholly the protocol's is minted to nobody, as at the
    /// peer.
    function _mintFee(uint256 shares, FeeType kind, uint16 rate, uint40 contextId) internal {
        if (shares == 0) return;
        uint256 protocolShares = shares.mulDiv(Math.min(protocolRate, MAX_PROTOCOL_RATE), BPS, UP);
        uint256 managerShares = shares - protocolShares;
        if (managerShares != 0) {
            _mint(_roles().feeReceiver, managerShares);
            if (protocolShares != 0) _mint(protocolFeeReceiver, protocolShares);
        }
        emit FeeTaken(kind, shares, rate, contextId, managerShares, protocolShares);
    }

    /// @dev The part of an amount that a rate takes.
    function _part(uint256 amount, uint16 rate) internal pure returns (uint256) {
        return amount.mulDiv(rate, BPS, UP);
    }

    function _oneShare() internal view returns (uint256) {
        return 10 ** decimals();
    }
}
