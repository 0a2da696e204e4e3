// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {FeeTerms} from "./VaultTypes.sol";

uint256 constant WAD = 1000000000000000000;
uint256 constant BPS = 10000;
/// @dev 365 days.
uint256 constant SECONDS_PER_YEAR = 31536000;

/// @title VaultMath
/// @notice The vault's arithmetic. Every division rounds down unless its function says otherwise. The posted pps is
/// rounded down: the true price p of a share satisfies pps <= p < pps + 1. So values paid out are taken at pps and
/// shares are minted at pps + 1, and neither can lower the price of the others' shares.
library VaultMath {
    /// @dev Value of shares at the posted price.
    function valueOf(uint256 shares, uint256 pps) internal pure returns (uint256) {
        return Math.mulDiv(shares, pps, WAD);
    }

    /// @dev The least value that is surely not under the true one, rounded up.
    function valueAbove(uint256 shares, uint256 pps) internal pure returns (uint256) {
        return Math.mulDiv(shares, pps + 1, WAD, Math.Rounding.Ceil);
    }

    /// @dev Shares to mint for a value.
    function sharesFor(uint256 value, uint256 pps) internal pure returns (uint256) {
        return Math.mulDiv(value, WAD, pps + 1);
    }

    /// @dev Whether `value` is at least `due` less the tolerance, compared exactly.
    function reaches(uint256 value, uint256 due, uint256 toleranceBps) internal pure returns (bool) {
        return value * BPS >= due * (BPS - toleranceBps);
    }

    /// @dev `value` plus the tolerance.
    function widened(uint256 value, uint256 toleranceBps) internal pure returns (uint256) {
        return Math.mulDiv(value, BPS + toleranceBps, BPS);
    }

    /// @dev The fees that were deducted to arrive at `pps`. The keeper takes the management fee of gross G and then the
    /// performance fee of what is left, X = G - G m t / year and net = X - (X - mark S) p; solved for the fees:
    ///     performance = (net - mark S) p / (1 - p)          when pps is above the mark
    ///     management  = X m t / (year - m t)                with X = net + performance
    /// Of both together the keeper takes no more than the cap, so that what is forgiven here is in the price already.
    /// Each is rounded down, where the keeper's are rounded up.
    /// @param elapsed Seconds since the fee clock; a settlement takes at most one year of management fee.
    /// @return management Value.
    /// @return performance Value.
    /// @return forgiven What the cap leaves out of their sum (value).
    function fees(FeeTerms memory terms, uint256 supply, uint256 pps, uint256 highWaterMark, uint256 elapsed)
        internal
        pure
        returns (uint256 management, uint256 performance, uint256 forgiven)
    {
        uint256 net = valueOf(supply, pps);
        if (pps > highWaterMark) {
            uint256 gain = valueOf(supply, pps - highWaterMark);
            performance = Math.mulDiv(gain, terms.performanceRate, WAD - terms.performanceRate);
        }
        uint256 charge = terms.managementRate * Math.min(elapsed, SECONDS_PER_YEAR);
        management = Math.mulDiv(net + performance, charge, SECONDS_PER_YEAR * WAD - charge);
        uint256 cap = Math.mulDiv(net, terms.capBps, BPS);
        forgiven = Math.saturatingSub(management + performance, cap);
    }

    /// @dev x y / z, the largest number where the result has no room. `z` is not zero.
    function saturatingMulDiv(uint256 x, uint256 y, uint256 z) internal pure returns (uint256) {
        (uint256 high,) = Math.mul512(x, y);
        return high >= z ? type(uint256).max : Math.mulDiv(x, y, z);
    }
}
