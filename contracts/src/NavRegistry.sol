// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "./INavRegistry.sol";
import {NavAccess} from "./NavAccess.sol";
import {NavGuard} from "./NavGuard.sol";
import "./NavLayout.sol";

/// @title NavRegistry
/// @notice Judges what a keeper posts, stores what is within bounds and holds what is not.
/// @dev What runs once per fund is assembly: a fund costs one cold read, one write, its call data and its log, and some 500
/// gas on top. Everything else is plain Solidity.
contract NavRegistry is NavGuard {
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
        bytes32 topic = NavPosted.selector;
        assembly ("memory-safe") {
            // `emit NavPosted(posted)` from scratch memory
            mstore(0, posted)
            log1(0, 32, topic)
        }
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
        next &= ~((DAY_DRIFT_MASK << DAY_DRIFT_SHIFT) | STATUS_HELD);
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
        uint256 standing = word & STATUS_HELD == 0 ? 0 : holds[fundId].reasons;
        (uint256 reasons, uint256 next) = _rule(word, record, header >> HEADER_TS_SHIFT, standing);
        if (reasons == 0) {
            funds[fundId] = next;
            if (word & STATUS_HELD != 0) {
                delete holds[fundId];
                emit HoldCleared(fundId, 0, msg.sender);
            }
            return 0;
        }
        uint256 rejected = next & ~(DAY_DRIFT_MASK << DAY_DRIFT_SHIFT);
        if (_holds(reasons)) {
            _addReasons(fundId, word, reasons);
            if (holds[fundId].digest == 0) {
                holds[fundId].digest = _digest(header, _slice(cursor, header & RECORD_SIZE_MASK), reasons);
                holds[fundId].firstReason = uint16(reasons);
            }
            emit NavHeld(fundId, rejected, word | STATUS_HELD, reasons);
        } else {
            emit NavRejected(fundId, rejected, word, reasons);
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
