// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {NavFunds} from "./NavFunds.sol";
import "./NavLayout.sol";

/// @title NavGuard
/// @notice What may be posted: whose calls, which times, which sizes, and which steps of a fund's price per share.
abstract contract NavGuard is NavFunds {
    /// @dev Whether the caller may post now, and a valuation of this time; `reserved` are bits that must be zero.
    function _admit(uint256 control_, uint256 valuationTs, uint256 reserved) internal view {
        uint256 maxAge = _maxPostAge;
        uint256 unusual;
        assembly ("memory-safe") {
            // The main poster with clear flags passes with one branch. A time in the future makes the age wrap around.
            unusual := or(
                or(sub(shr(FLAGS_SHIFT, control_), shl(8, caller())), reserved),
                gt(sub(timestamp(), valuationTs), maxAge)
            )
        }
        if (unusual != 0) {
            _requirePosting(control_);
            if (reserved != 0) revert BadHeader();
            _checkTime(valuationTs);
        }
    }

    function _checkTime(uint256 valuationTs) internal view {
        if (valuationTs > block.timestamp) revert FutureHeader(valuationTs, block.timestamp);
        if (block.timestamp - valuationTs > _maxPostAge) revert StaleHeader(valuationTs, block.timestamp);
    }

    /// @dev The record size of a payload that is a whole number of records.
    function _checkedSize(uint256 header, uint256 length) internal pure returns (uint256 size) {
        size = header & RECORD_SIZE_MASK;
        if ((RECORD_SIZES >> size) & 1 == 0) revert BadLength(size, length);
        if (length == 0) revert BadLength(size, length);
        if (length % size != 0) revert BadLength(size, length);
    }

    /// @dev The guard, the same for every way in. It measures one record against one fund and its bounds; `_rule` says what
    /// that means. Branchless, because it runs once per fund.
    /// @return next The fund word with the record's values and the day's drift; profile, live and held bits stay.
    /// @return breaches REASON_STEP, REASON_DAY_DRIFT, REASON_TOO_EARLY and REASON_CONFIDENCE bits; above them something
    /// non-zero when the fund is not the usual one: live, not held, on profile 0 (the bounds given are another's then).
    function _judge(uint256 word, uint256 record, uint256 valuationTs, uint256 bounds)
        internal
        pure
        returns (uint256 next, uint256 breaches)
    {
        assembly ("memory-safe") {
            let values := shr(48, record) // nav and pps (and, above them, the fund's id)
            let posted := and(values, PPS_MASK)
            let served := and(shr(PPS_SHIFT, word), PPS_MASK)
            // The step in tenths of a bps, rounded away from zero so that the sum never understates a walk: the ratio is
            // rounded up when the price rises and down when it falls. A fund that is not live divides by zero, giving zero.
            let drift :=
                sub(div(add(mul(posted, STEP_UNITS), mul(gt(posted, served), sub(served, 1))), served), STEP_UNITS)
            // No bound is above MAX_BOUND_BPS, so one multiplication scales all three without a carry between them.
            let units := mul(and(shr(DAY_BPS_SHIFT, bounds), 0xffffffffffff), STEP_UNITS_PER_BPS)
            // -down <= step <= up and -day <= drift <= day, each as one unsigned comparison.
            let bound := and(shr(16, units), BPS_MASK)
            breaches := gt(add(drift, bound), add(bound, shr(32, units)))
            // Times are compared where they stand in the word, which saves shifting the served one.
            let time := shl(VALUATION_TS_SHIFT, valuationTs)
            let servedTime := and(word, 0xffffffff00000000)
            let sameDay := iszero(lt(servedTime, sub(time, mod(time, 0x1518000000000)))) // 86400 seconds, shifted
            drift := add(drift, mul(sameDay, signextend(1, shr(DAY_DRIFT_SHIFT, word))))
            bound := and(units, BPS_MASK)
            breaches := or(breaches, shl(1, gt(add(drift, bound), add(bound, bound))))
            let minInterval := and(shl(12, bounds), 0xfffff00000000)
            breaches := or(breaches, shl(2, gt(add(servedTime, minInterval), time)))
            let confidence := and(shr(31, record), 0xfe00) // at its place in the fund word
            breaches := or(breaches, shl(8, gt(confidence, 0xc800))) // 100 %
            let state := and(word, USUAL_MASK)
            breaches := or(breaches, shl(9, xor(state, STATUS_LIVE)))
            next := or(or(shl(PPS_SHIFT, values), time), or(confidence, and(shr(45, record), STATUS_ESTIMATED)))
            next := or(next, or(shl(DAY_DRIFT_SHIFT, and(drift, DAY_DRIFT_MASK)), state))
        }
    }

    /// @dev What a record means for a fund in this state. Time comes first: a late or repeated record says nothing about
    /// the price, whatever it contains.
    /// @param standing The reasons that hold the fund already.
    /// @return reasons The final reasons, zero when the record is to be stored.
    /// @return next The fund word that would be stored.
    function _rule(uint256 word, uint256 record, uint256 valuationTs, uint256 standing)
        internal
        view
        returns (uint256 reasons, uint256 next)
    {
        uint256 breaches;
        (next, breaches) = _judge(word, record, valuationTs, _boundsOf((word >> PROFILE_SHIFT) & PROFILE_MASK));
        next &= ~STATUS_HELD;
        if (word & STATUS_LIVE == 0) {
            reasons = REASON_NOT_LIVE;
        } else if (breaches & REASON_TOO_EARLY != 0) {
            bool newer = valuationTs > (word >> VALUATION_TS_SHIFT) & VALUATION_TS_MASK;
            reasons = newer ? REASON_TOO_EARLY : REASON_NOT_NEWER;
        } else if (breaches & REASON_CONFIDENCE != 0) {
            reasons = REASON_CONFIDENCE;
        } else if ((next >> PPS_SHIFT) & PPS_MASK == 0) {
            reasons = REASON_ZERO_PPS;
        } else if (breaches & 3 != 0) {
            reasons = breaches & 3;
        } else if (word & STATUS_HELD != 0 && standing != REASON_STEP) {
            reasons = REASON_HELD | standing;
        }
    }

    function _holds(uint256 reasons) internal pure returns (bool) {
        return reasons & REASON_HELD == 0 && reasons & REASONS_THAT_HOLD != 0;
    }
}
