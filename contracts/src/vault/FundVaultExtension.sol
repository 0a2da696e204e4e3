// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import "../NavLayout.sol";
import {IFundVaultExtension} from "./IFundVaultExtension.sol";
import {WAD} from "./VaultMath.sol";
import {VaultReads} from "./VaultReads.sol";
import {VaultStorage} from "./VaultStorage.sol";
import {Configuration, EpochState, FeeTerms, Limits} from "./VaultTypes.sol";
import {VaultUnits} from "./VaultUnits.sol";

/// @title FundVaultExtension
/// @notice The part of the vault's code that investors and the keeper do not call: stops, settings, the fund's units,
/// reads.
/// @dev A contract's code is limited to 24,576 bytes. The vault creates its extension and delegates to it, for ever,
/// the calls that it does not know itself. Called at its own address it is a vault without roles that can never open;
/// its ERC-20 and role functions are never reached through the vault, which has its own.
contract FundVaultExtension is VaultUnits, VaultReads {
    constructor(Configuration memory configuration) ERC20("", "") VaultStorage(configuration) {}

    /// @inheritdoc IFundVaultExtension
    function pause() external onlyRole(GUARDIAN_ROLE) {
        _pause();
    }

    /// @inheritdoc IFundVaultExtension
    function unpause() external onlyRole(RISK_ROLE) {
        _unpause();
    }

    /// @inheritdoc IFundVaultExtension
    function freeze(string calldata reason) external onlyRole(GUARDIAN_ROLE) {
        if (_frozen) revert VaultIsFrozen();
        _frozen = true;
        emit Frozen(msg.sender, reason);
    }

    /// @inheritdoc IFundVaultExtension
    function unfreeze() external onlyRole(RISK_ROLE) {
        if (!_frozen) revert NothingToDo();
        _frozen = false;
        emit Unfrozen(msg.sender);
    }

    /// @inheritdoc IFundVaultExtension
    function close() external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (_closed) revert VaultIsClosed();
        _closed = true;
        emit Closed();
    }

    /// @inheritdoc IFundVaultExtension
    function rejectRequests(uint256 epoch, bool deposits, bool redemptions) external onlyRole(RISK_ROLE) {
        _requireCurrent(epoch);
        uint256 from = _overdueFrom();
        if (block.timestamp < from) revert NotCancellable(epoch, from);
        if (deposits) _epochs[epoch].depositsRejected = true;
        if (redemptions) _epochs[epoch].redemptionsRejected = true;
        emit RequestsRejected(epoch, deposits, redemptions);
    }

    /// @inheritdoc IFundVaultExtension
    function open() external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (!_closed) revert NothingToDo();
        if (_frozen) revert VaultIsFrozen();
        (address vault, address base) = _registry.fundOf(_fundId);
        if (vault != address(this) || base != _asset) revert WrongFund(vault, base);
        (, uint256 pps, uint256 valuationTs,, uint256 status) = _registry.read(_fundId);
        if (status & (STATUS_LIVE | STATUS_HELD) != STATUS_LIVE) revert FundNotServed(status);
        if (totalSupply() == 0) pps = WAD;
        else _registry.ppsOrRevert(_fundId);
        _closed = false;
        _highWaterMark = pps;
        _feeClock = valuationTs;
        _newerThan = block.timestamp;
        // An epoch of which something was rejected takes no more requests: it closes at once.
        EpochState storage state = _epochs[_epoch];
        bool rejected = state.depositsRejected || state.redemptionsRejected;
        _closesAt = rejected ? block.timestamp : block.timestamp + _epochLength;
        emit Opened(pps, valuationTs, _closesAt);
    }

    /// @inheritdoc IFundVaultExtension
    function setLimits(Limits calldata limits_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setLimits(limits_);
    }

    /// @inheritdoc IFundVaultExtension
    function setFeeTerms(FeeTerms calldata terms) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _checkFeeTerms(terms);
        _nextFeeTerms = terms;
        emit FeeTermsScheduled(terms);
    }

    /// @inheritdoc IFundVaultExtension
    function setCustodian(address custodian_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setCustodian(custodian_);
    }

    /// @inheritdoc IFundVaultExtension
    function setFeeRecipient(address feeRecipient_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setFeeRecipient(feeRecipient_);
    }

    /// @inheritdoc IFundVaultExtension
    function setQuoter(address quoter_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setQuoter(quoter_);
    }
}
