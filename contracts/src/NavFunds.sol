// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {NavAccess} from "./NavAccess.sol";
import {INavRegistry} from "./INavRegistry.sol";
import "./NavLayout.sol";

/// @title NavFunds
/// @notice The funds' words: how they begin and end, and how they are read.
abstract contract NavFunds is NavAccess {
    struct FundInfo {
        address vault;
        address base;
    }

    /// @dev One word per fund at a fixed place: no hashing on the way to a fund.
    uint256[65536] internal funds;
    mapping(uint256 fundId => FundInfo) private infos;

    /// @inheritdoc INavRegistry
    function registerFund(
        uint256 fundId,
        address vault,
        address base,
        uint256 profile,
        uint256 nav,
        uint256 pps,
        uint256 valuationTs
    ) external onlyRole(ROLE_ADMIN) {
        if (vault == address(0)) revert ZeroAddress();
        if (readRaw(fundId) != 0) revert FundExists(fundId);
        _boundsOf(profile);
        uint256 word = _open(profile, nav, pps, valuationTs);
        funds[fundId] = word;
        infos[fundId] = FundInfo(vault, base);
        emit FundRegistered(fundId, vault, base, word);
    }

    /// @inheritdoc INavRegistry
    function closeFund(uint256 fundId) external onlyRole(ROLE_ADMIN) {
        uint256 word = _known(fundId);
        if (word & STATUS_LIVE == 0) revert FundIsClosed(fundId);
        word &= ~STATUS_LIVE;
        funds[fundId] = word;
        emit FundClosed(fundId, word);
    }

    /// @inheritdoc INavRegistry
    function reopenFund(uint256 fundId, uint256 nav, uint256 pps, uint256 valuationTs) external onlyRole(ROLE_ADMIN) {
        uint256 word = _known(fundId);
        if (word & STATUS_LIVE != 0) revert FundIsOpen(fundId);
        // ADMIN must not end a hold by closing and reopening: that is RISK's decision.
        if (word & STATUS_HELD != 0) revert FundIsHeld(fundId);
        if (valuationTs <= (word >> VALUATION_TS_SHIFT) & VALUATION_TS_MASK) revert BadOpening();
        word = _open((word >> PROFILE_SHIFT) & PROFILE_MASK, nav, pps, valuationTs);
        funds[fundId] = word;
        emit FundReopened(fundId, word);
    }

    /// @inheritdoc INavRegistry
    function assignProfile(uint256 fundId, uint256 profile) external onlyRole(ROLE_ADMIN) {
        uint256 word = _known(fundId);
        _boundsOf(profile);
        funds[fundId] = (word & ~(PROFILE_MASK << PROFILE_SHIFT)) | (profile << PROFILE_SHIFT);
        emit FundProfileSet(fundId, profile);
    }

    /// @inheritdoc INavRegistry
    function read(uint256 fundId)
        external
        view
        returns (uint256 nav, uint256 pps, uint256 valuationTs, uint256 confidence, uint256 status)
    {
        uint256 word = _known(fundId);
        nav = word >> NAV_SHIFT;
        pps = (word >> PPS_SHIFT) & PPS_MASK;
        valuationTs = (word >> VALUATION_TS_SHIFT) & VALUATION_TS_MASK;
        confidence = (word >> CONFIDENCE_SHIFT) & CONFIDENCE_MASK;
        status = word & STATUS_MASK;
    }

    /// @inheritdoc INavRegistry
    function readRaw(uint256 fundId) public view returns (uint256 word) {
        if (fundId >= funds.length) revert UnknownFund(fundId);
        return funds[fundId];
    }

    /// @inheritdoc INavRegistry
    function readMany(uint256[] calldata fundIds) external view returns (uint256[] memory words) {
        words = new uint256[](fundIds.length);
        for (uint256 i; i < fundIds.length; ++i) {
            words[i] = readRaw(fundIds[i]);
        }
    }

    /// @inheritdoc INavRegistry
    function ppsOrRevert(uint256 fundId) external view returns (uint256 pps) {
        _requireNotPaused(control);
        uint256 word = _known(fundId);
        if (word & STATUS_LIVE == 0) revert FundIsClosed(fundId);
        if (word & STATUS_HELD != 0) revert FundIsHeld(fundId);
        if (word & STATUS_ESTIMATED != 0) revert FundIsEstimated(fundId);
        uint256 valuationTs = (word >> VALUATION_TS_SHIFT) & VALUATION_TS_MASK;
        uint256 maxAge = _boundsOf((word >> PROFILE_SHIFT) & PROFILE_MASK) & SECONDS_MASK;
        if (block.timestamp > valuationTs + maxAge) revert FundIsStale(fundId, valuationTs, maxAge);
        return (word >> PPS_SHIFT) & PPS_MASK;
    }

    /// @inheritdoc INavRegistry
    function fundOf(uint256 fundId) external view returns (address vault, address base) {
        FundInfo storage info = infos[fundId];
        return (info.vault, info.base);
    }

    /// @dev The word of a fund that was registered, closed or not.
    function _known(uint256 fundId) internal view returns (uint256 word) {
        word = readRaw(fundId);
        if (word == 0) revert UnknownFund(fundId);
    }

    /// @dev Writing the whole word here, not at the first post, keeps every post at the price of an update.
    function _open(uint256 profile, uint256 nav, uint256 pps, uint256 valuationTs) private view returns (uint256) {
        if (pps == 0) revert ZeroPps();
        bool known = valuationTs != 0 && valuationTs <= block.timestamp;
        if (nav > NAV_MASK || pps > PPS_MASK || !known) revert BadOpening();
        return (nav << NAV_SHIFT) | (pps << PPS_SHIFT) | (valuationTs << VALUATION_TS_SHIFT)
            | (profile << PROFILE_SHIFT) | STATUS_LIVE | STATUS_ESTIMATED;
    }
}
