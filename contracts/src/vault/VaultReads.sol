// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFundVaultExtension} from "./IFundVaultExtension.sol";
import {VaultStorage} from "./VaultStorage.sol";
import {Breakdown, EpochState, FeeTerms, FlowTotals, Limits, SettlementState} from "./VaultTypes.sol";

/// @title VaultReads
/// @notice Every read that is not part of ERC-20, ERC-4626 or ERC-7540.
abstract contract VaultReads is IFundVaultExtension, VaultStorage {
    /// @inheritdoc IFundVaultExtension
    function registry() external view returns (address) {
        return address(_registry);
    }

    /// @inheritdoc IFundVaultExtension
    function fundId() external view returns (uint256) {
        return _fundId;
    }

    /// @inheritdoc IFundVaultExtension
    function assetScale() external view returns (uint256) {
        return _assetScale;
    }

    /// @inheritdoc IFundVaultExtension
    function epochLength() external view returns (uint256) {
        return _epochLength;
    }

    /// @inheritdoc IFundVaultExtension
    function minDelay() external view returns (uint256) {
        return _minDelay;
    }

    /// @inheritdoc IFundVaultExtension
    function custodian() external view returns (address) {
        return _custodian;
    }

    /// @inheritdoc IFundVaultExtension
    function feeRecipient() external view returns (address) {
        return _feeRecipient;
    }

    /// @inheritdoc IFundVaultExtension
    function quoter() external view returns (address) {
        return _quoter;
    }

    /// @inheritdoc IFundVaultExtension
    function limits() external view returns (Limits memory) {
        return _limits;
    }

    /// @inheritdoc IFundVaultExtension
    function frozen() external view returns (bool) {
        return _frozen;
    }

    /// @inheritdoc IFundVaultExtension
    function closed() external view returns (bool) {
        return _closed;
    }

    /// @inheritdoc IFundVaultExtension
    function breakdown() external view returns (Breakdown memory) {
        return _breakdown;
    }

    /// @inheritdoc IFundVaultExtension
    function feeTerms() external view returns (FeeTerms memory current, FeeTerms memory next) {
        return (_feeTerms, _nextFeeTerms);
    }

    /// @inheritdoc IFundVaultExtension
    function feeState() external view returns (uint256 highWaterMark, uint256 feeClock) {
        return (_highWaterMark, _feeClock);
    }

    /// @inheritdoc IFundVaultExtension
    function dividendIndex() external view returns (uint256) {
        return _dividendIndex;
    }

    /// @inheritdoc IFundVaultExtension
    function dividendPool() external view returns (uint256) {
        return _dividendPool;
    }

    /// @inheritdoc IFundVaultExtension
    function feesDue(uint256 pps, uint256 valuationTs)
        external
        view
        returns (uint256 management, uint256 performance, uint256 forgiven, uint256 shares)
    {
        return _feesDue(pps, valuationTs);
    }

    /// @inheritdoc IFundVaultExtension
    function cancelledSince(uint256 epoch, uint256 timestamp) external view returns (uint256) {
        return _cancelledSince(epoch, timestamp);
    }

    /// @inheritdoc IFundVaultExtension
    function payoutTokens() external view returns (address[] memory) {
        return _payoutTokens;
    }

    /// @inheritdoc IFundVaultExtension
    function deliveries()
        external
        view
        returns (address[] memory tokens, uint256[] memory delivered, uint256[] memory idle)
    {
        uint256 count = _payoutTokens.length + 1;
        (tokens, delivered, idle) = (new address[](count), new uint256[](count), new uint256[](count));
        for (uint256 i; i < count; ++i) {
            tokens[i] = _deliverable(i);
            (delivered[i], idle[i]) = (_delivered[tokens[i]], _idle[tokens[i]]);
        }
    }

    /// @inheritdoc IFundVaultExtension
    function idleOf(address token) external view returns (uint256) {
        return _idle[token];
    }

    /// @inheritdoc IFundVaultExtension
    function accountedOf(address token) external view returns (uint256) {
        return _accounted[token];
    }

    /// @inheritdoc IFundVaultExtension
    function epochOf(uint256 epoch) external view returns (EpochState memory) {
        return _epochs[epoch];
    }

    /// @inheritdoc IFundVaultExtension
    function payoutsOf(uint256 epoch) external view returns (address[] memory tokens, uint256[] memory amounts) {
        uint256 count = _payouts[epoch].length;
        (tokens, amounts) = (new address[](count), new uint256[](count));
        for (uint256 i; i < count; ++i) {
            (tokens[i], amounts[i]) = (_payouts[epoch][i].token, _payouts[epoch][i].amount);
        }
    }

    /// @inheritdoc IFundVaultExtension
    function dividendOf(address account) external view returns (uint256 assets) {
        if (account == address(this)) return 0;
        return _owed[account] + _dividends(balanceOf(account), _settledIndex[account], _dividendIndex);
    }

    /// @inheritdoc IFundVaultExtension
    function flowTotals() external view returns (FlowTotals memory) {
        return _flows;
    }

    /// @inheritdoc IFundVaultExtension
    function settlement() external view returns (SettlementState memory) {
        EpochState storage current = _epochs[_epoch];
        EpochState storage next = _epochs[_epoch + 1];
        return SettlementState({
            epoch: _epoch,
            closesAt: _closesAt,
            settleableAt: _closesAt + _minDelay,
            newerThan: _newerThan,
            depositAssets: current.depositsRejected ? 0 : current.depositAssets,
            redeemShares: current.redemptionsRejected ? 0 : current.redeemShares,
            nextDepositAssets: next.depositAssets,
            nextRedeemShares: next.redeemShares,
            supply: totalSupply(),
            frozen: _frozen,
            closed: _closed,
            paused: paused()
        });
    }
}
