// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "./INavRegistry.sol";
import {NavAccess} from "./NavAccess.sol";
import {NavFunds} from "./NavFunds.sol";
import "./NavLayout.sol";

/// @title NavRegistry
/// @notice Judges what a keeper posts, stores what is within bounds and holds what is not.
/// @dev The hot path (`post`, `postOne`, `_judge`) is assembly where it runs once per fund: it costs what one cold read,
/// one write, the call data and the log cost, plus some 500 gas. Everything that is not posted every hour is plain Solidity.
contract NavRegistry is NavFunds {
    /// @dev `reasons` accumulates while a hold lasts; `firstReason` belongs to `digest` and does not change with it.
    struct Hold {
        bytes32 digest;
        uint64 since;
        uint16 firstReason;
        uint16 reasons;
    }

    mapping(uint256 fundId => Hold) private holds;

    /// @param admin First holder of ROLE_ADMIN; a timelock in production.
    /// @param poster Main poster; the zero address leaves none.
    /// @param maxPostAge Oldest valuation, in seconds, that can be posted.
    /// @param bounds Guard profile 0.
    constructor(address admin, address poster, uint256 maxPostAge, Bounds memory bounds)
        NavAccess(admin, poster, maxPostAge, bounds)
    {}

    /// @inheritdoc INavRegistry
    function post(uint256 header, bytes32 evidenceRoot, bytes calldata records) external returns (uint256 heldCount) {
        uint256 bounds = control;
        uint256 valuationTs = header >> HEADER_TS_SHIFT;
        _admit(bounds, valuationTs, header & ~HEADER_MASK);
        uint256 size = _checkedSize(header, records.length);
        unchecked {
            uint256 cursor = _offset(records);
            for (uint256 end = cursor + records.length; cursor < end; cursor += size) {
                uint256 record = _load(cursor);
                uint256 word = _word(record);
                (uint256 next, uint256 unusual) = _judge(word, record, valuationTs, bounds);
                if (unusual == 0) _store(record, next);
                else heldCount += _applySlowly(cursor, header, word);
            }
        }
        emit NavBatch(header, evidenceRoot, records);
    }

    /// @inheritdoc INavRegistry
    function postOne(uint256 posted, bytes32) external {
        uint256 bounds = control;
        uint256 valuationTs = posted & VALUATION_TS_MASK;
        _admit(bounds, valuationTs, posted >> POSTED_WORD_BITS);
        uint256 record = posted << (256 - POSTED_WORD_BITS);
        uint256 word = _word(record);
        (uint256 next, uint256 unusual) = _judge(word, record, valuationTs, bounds);
        if (unusual == 0) _store(record, next);
        // In the call data the record follows the selector and the word's empty first byte.
        else _applySlowly(5, (valuationTs << HEADER_TS_SHIFT) | RECORD_SIZE, word);
        emit NavPosted(posted);
    }

    /// @inheritdoc INavRegistry
    function preview(uint256 header, bytes calldata records) external view returns (uint256[] memory reasons) {
        _requireNotPaused(control);
        if (header & ~HEADER_MASK != 0) revert BadHeader();
        _checkTime(header >> HEADER_TS_SHIFT);
        uint256 size = _checkedSize(header, records.length);
        reasons = new uint256[](records.length / size);
        // What the batch itself has done so far, for a fund that it names twice.
        uint256[] memory words = new uint256[](reasons.length);
        uint256[] memory standing = new uint256[](reasons.length);
        uint256[] memory seen = new uint256[](256);
        for (uint256 i; i < reasons.length; ++i) {
            uint256 record = _load(_offset(records) + i * size);
            uint256 fundId = record >> FUND_ID_SHIFT;
            uint256 bit = 1 << (fundId & 255);
            if (seen[fundId >> 8] & bit == 0) {
                seen[fundId >> 8] |= bit;
                (words[i], standing[i]) = (funds[fundId], holds[fundId].reasons);
            } else {
                uint256 last = i - 1;
                while (_load(_offset(records) + last * size) >> FUND_ID_SHIFT != fundId) --last;
                (words[i], standing[i]) = (words[last], standing[last]);
            }
            uint256 next;
            (reasons[i], next) = _rule(words[i], record, header >> HEADER_TS_SHIFT, standing[i]);
            if (reasons[i] == 0) (words[i], standing[i]) = (next, 0);
            else if (_holds(reasons[i])) (words[i], standing[i]) = (words[i] | STATUS_HELD, standing[i] | reasons[i]);
        }
    }

    /// @inheritdoc INavRegistry
    function accept(uint256 fundId, uint256 header, bytes calldata record) external onlyRole(ROLE_RISK) {
        uint256 word = _known(fundId);
        Hold storage current = holds[fundId];
        if (current.digest == 0) revert NotHeld(fundId);
        if (word & STATUS_LIVE == 0) revert FundIsClosed(fundId);
        if (current.reasons & REASON_GUARDIAN != 0) revert GuardianHold(fundId);
        if (_digest(header, record, current.firstReason) != current.digest) revert RecordMismatch(fundId);
        if (current.firstReason == REASON_ZERO_PPS) revert ZeroPps();
        (uint256 next,) = _judge(word, _load(_offset(record)), header >> HEADER_TS_SHIFT, control);
        next &= ~(DAY_DRIFT_MASK << DAY_DRIFT_SHIFT);
        funds[fundId] = next;
        delete holds[fundId];
        emit NavAccepted(fundId, next, msg.sender);
    }

    /// @inheritdoc INavRegistry
    function discard(uint256 fundId) external onlyRole(ROLE_RISK) {
        Hold storage current = holds[fundId];
        if (current.digest == 0) revert NotHeld(fundId);
        (current.digest, current.firstReason) = (0, 0);
        _keepReasons(fundId, current, current.reasons & REASON_GUARDIAN);
    }

    /// @inheritdoc INavRegistry
    function release(uint256[] calldata fundIds) external onlyRole(ROLE_RISK) {
        for (uint256 i; i < fundIds.length; ++i) {
            Hold storage current = holds[fundIds[i]];
            if (current.reasons & REASON_GUARDIAN == 0) revert NotHeld(fundIds[i]);
            _keepReasons(fundIds[i], current, current.reasons & ~REASON_GUARDIAN);
        }
    }

    /// @inheritdoc INavRegistry
    function hold(uint256[] calldata fundIds) external onlyRole(ROLE_GUARDIAN | ROLE_RISK) {
        for (uint256 i; i < fundIds.length; ++i) {
            uint256 word = _known(fundIds[i]);
            if (holds[fundIds[i]].reasons & REASON_GUARDIAN == 0) {
                _addReasons(fundIds[i], word, REASON_GUARDIAN);
                emit NavHeld(fundIds[i], 0, word | STATUS_HELD, REASON_GUARDIAN);
            }
        }
    }

    /// @inheritdoc INavRegistry
    function heldOf(uint256 fundId)
        external
        view
        returns (bytes32 digest, uint256 firstReason, uint256 reasons, uint256 since)
    {
        Hold storage current = holds[fundId];
        return (current.digest, current.firstReason, current.reasons, current.since);
    }

    /// @dev Any fund and any record, judged anew under the fund's own profile.
    function _applySlowly(uint256 cursor, uint256 header, uint256 word) private returns (uint256 refused) {
        uint256 record = _load(cursor);
        uint256 fundId = record >> FUND_ID_SHIFT;
        (uint256 reasons, uint256 next) = _rule(word, record, header >> HEADER_TS_SHIFT, holds[fundId].reasons);
        if (reasons == 0) {
            funds[fundId] = next;
            if (word & STATUS_HELD != 0) {
                delete holds[fundId];
                emit HoldCleared(fundId, 0, msg.sender);
            }
            return 0;
        }
        if (_holds(reasons)) {
            _addReasons(fundId, word, reasons);
            if (holds[fundId].digest == 0) {
                holds[fundId].digest = _digest(header, _slice(cursor, header & RECORD_SIZE_MASK), reasons);
                holds[fundId].firstReason = uint16(reasons);
            }
            emit NavHeld(fundId, next, word | STATUS_HELD, reasons);
        } else {
            emit NavRejected(fundId, next, word, reasons);
        }
        return 1;
    }

    function _addReasons(uint256 fundId, uint256 word, uint256 reasons) private {
        Hold storage current = holds[fundId];
        if (word & STATUS_HELD == 0) {
            current.since = uint64(block.timestamp);
            funds[fundId] = word | STATUS_HELD;
        }
        current.reasons |= uint16(reasons);
    }

    function _keepReasons(uint256 fundId, Hold storage current, uint256 remaining) private {
        current.reasons = uint16(remaining);
        if (remaining == 0) {
            current.since = 0;
            funds[fundId] &= ~STATUS_HELD;
        }
        emit HoldCleared(fundId, remaining, msg.sender);
    }

    function _checkedSize(uint256 header, uint256 length) private pure returns (uint256 size) {
        size = header & RECORD_SIZE_MASK;
        if ((RECORD_SIZES >> size) & 1 == 0) revert BadLength(size, length);
        if (length == 0) revert BadLength(size, length);
        if (length % size != 0) revert BadLength(size, length);
    }

    /// @dev Whether the caller may post now, and a valuation of this time; `reserved` are bits that must be zero.
    function _admit(uint256 control_, uint256 valuationTs, uint256 reserved) private view {
        uint256 maxAge = _maxPostAge;
        bool unusual;
        assembly ("memory-safe") {
            // The main poster with clear flags passes with one branch. A time in the future makes the age wrap around.
            unusual := or(
                or(sub(shr(FLAGS_SHIFT, control_), shl(8, caller())), reserved),
                gt(sub(timestamp(), valuationTs), maxAge)
            )
        }
        if (unusual) {
            _requirePosting(control_);
            if (reserved != 0) revert BadHeader();
            _checkTime(valuationTs);
        }
    }

    function _checkTime(uint256 valuationTs) private view {
        if (valuationTs > block.timestamp) revert FutureHeader(valuationTs, block.timestamp);
        if (block.timestamp - valuationTs > _maxPostAge) revert StaleHeader(valuationTs, block.timestamp);
    }

    /// @dev The guard, the same for every way in. It measures one record against one fund and its bounds; `_rule` says what
    /// that means. Branchless, because it runs once per fund.
    /// @return next The fund word with the record's values: live, not held, the profile kept, the drift moved on.
    /// @return breaches REASON_STEP, REASON_DAY_DRIFT, REASON_TOO_EARLY and REASON_CONFIDENCE bits.
    function _judge(uint256 word, uint256 record, uint256 valuationTs, uint256 bounds)
        private
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
            let servedTs := and(shr(VALUATION_TS_SHIFT, word), VALUATION_TS_MASK)
            let sameDay := iszero(lt(servedTs, sub(valuationTs, mod(valuationTs, 86400))))
            drift := add(drift, mul(sameDay, signextend(1, shr(DAY_DRIFT_SHIFT, word))))
            bound := and(units, BPS_MASK)
            breaches := or(breaches, shl(1, gt(add(drift, bound), add(bound, bound))))
            bound := and(shr(MIN_INTERVAL_SHIFT, bounds), SECONDS_MASK)
            breaches := or(breaches, shl(2, gt(add(servedTs, bound), valuationTs)))
            let confidence := and(shr(31, record), 0xfe00) // already at its place in the fund word
            breaches := or(breaches, shl(8, gt(confidence, 0xc9ff))) // 100 % with every lower bit set
            next := or(shl(64, values), or(shl(VALUATION_TS_SHIFT, valuationTs), confidence))
            next := or(next, or(shl(DAY_DRIFT_SHIFT, and(drift, DAY_DRIFT_MASK)), and(shr(45, record), STATUS_ESTIMATED)))
            next := or(next, or(and(word, 0x1f8), STATUS_LIVE))
            breaches := or(breaches, shl(9, xor(and(word, USUAL_MASK), STATUS_LIVE)))
        }
    }

    /// @dev What a record means for a fund in this state. Time comes first: a late or repeated record says nothing about
    /// the price, whatever it contains.
    /// @param standing The reasons that hold the fund already.
    /// @return reasons The final reasons, zero when the record is to be stored.
    /// @return next The record as a fund word, its drift saturated.
    function _rule(uint256 word, uint256 record, uint256 valuationTs, uint256 standing)
        private
        view
        returns (uint256 reasons, uint256 next)
    {
        uint256 breaches;
        (next, breaches) = _judge(word, record, valuationTs, _boundsOf((word >> PROFILE_SHIFT) & PROFILE_MASK));
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

    function _holds(uint256 reasons) private pure returns (bool) {
        return reasons & REASON_HELD == 0 && reasons & REASONS_THAT_HOLD != 0;
    }

    function _digest(uint256 header, bytes memory record, uint256 reasons) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(header, record, reasons));
    }

    function _slice(uint256 cursor, uint256 size) private pure returns (bytes memory data) {
        data = new bytes(size);
        assembly ("memory-safe") {
            calldatacopy(add(data, 32), cursor, size)
        }
    }

    function _word(uint256 record) private view returns (uint256 word) {
        assembly ("memory-safe") {
            // A 16-bit id is always inside the array: no bounds check.
            word := sload(add(funds.slot, shr(FUND_ID_SHIFT, record)))
        }
    }

    function _store(uint256 record, uint256 word) private {
        assembly ("memory-safe") {
            sstore(add(funds.slot, shr(FUND_ID_SHIFT, record)), word)
        }
    }

    function _load(uint256 cursor) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(cursor)
        }
    }

    function _offset(bytes calldata data) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := data.offset
        }
    }
}
