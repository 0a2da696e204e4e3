// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {WAD} from "./VaultMath.sol";
import {VaultStorage} from "./VaultStorage.sol";
import {Configuration, FeeTerms, Limits} from "./VaultTypes.sol";

/// @title VaultSettings
/// @notice The bounds of what a vault is created with and of what ADMIN may change.
abstract contract VaultSettings is VaultStorage {
    /// @dev Registry ids are 16 bits.
    uint256 internal constant MAX_FUND_ID = 65535;
    /// @dev Wad per year: 10 %.
    uint256 internal constant MAX_MANAGEMENT_RATE = 100000000000000000;
    /// @dev 50 %.
    uint256 internal constant MAX_PERFORMANCE_RATE = 500000000000000000;
    /// @dev 5 %.
    uint256 internal constant MAX_WITHDRAWAL_RATE = 50000000000000000;
    uint256 internal constant MAX_FEE_CAP_BPS = 1000;
    uint256 internal constant MAX_TOLERANCE_BPS = 500;
    uint256 internal constant MAX_CONFIDENCE_PERCENT = 100;
    /// @dev Value. What a posted pps hides of the NAV, supply / 1e18, is far under it for any fund of less than 10^14
    /// whole shares: no deposit is too small to be seen in the NAV.
    uint256 internal constant MIN_DEPOSIT_VALUE = 1000000000000000;
    /// @dev Wad. At this price the shares of the largest NAV that a registry holds fit 128 bits.
    uint256 internal constant MIN_SHARE_PRICE = 1000000000000;

    /// @dev What the constructor sets beside the immutables.
    function _configure(Configuration memory configuration) internal {
        if (configuration.registry == address(0)) revert BadAddress(configuration.registry);
        _require(configuration.fundId <= MAX_FUND_ID, "fundId", configuration.fundId);
        _require(configuration.epochLength != 0, "epochLength", 0);
        _require(configuration.minDelay != 0, "minDelay", 0);
        _setCustodian(configuration.custodian);
        _setFeeRecipient(configuration.feeRecipient);
        _setQuoter(configuration.quoter);
        _setLimits(configuration.limits);
        _checkFeeTerms(configuration.feeTerms);
        _feeTerms = configuration.feeTerms;
        _nextFeeTerms = configuration.feeTerms;
        emit FeeTermsSet(configuration.feeTerms);
        if (configuration.admin == address(0)) revert BadAddress(configuration.admin);
        _grantRole(DEFAULT_ADMIN_ROLE, configuration.admin);
    }

    function _setCustodian(address custodian_) internal {
        _checkAddress(custodian_);
        _custodian = custodian_;
        emit CustodianSet(custodian_);
    }

    function _setFeeRecipient(address feeRecipient_) internal {
        _checkAddress(feeRecipient_);
        _feeRecipient = feeRecipient_;
        emit FeeRecipientSet(feeRecipient_);
    }

    function _setQuoter(address quoter_) internal {
        _quoter = quoter_;
        emit QuoterSet(quoter_);
    }

    function _setLimits(Limits memory limits_) internal {
        _require(_value(limits_.minDeposit) >= MIN_DEPOSIT_VALUE, "minDeposit", limits_.minDeposit);
        _require(limits_.depositCap >= limits_.minDeposit, "depositCap", limits_.depositCap);
        bool priced = limits_.minSharePrice >= MIN_SHARE_PRICE && limits_.minSharePrice <= WAD;
        _require(priced, "minSharePrice", limits_.minSharePrice);
        // Who could cancel before the epoch can settle would hold an option.
        _require(limits_.cancelGrace > _minDelay, "cancelGrace", limits_.cancelGrace);
        _require(limits_.toleranceBps <= MAX_TOLERANCE_BPS, "toleranceBps", limits_.toleranceBps);
        _require(limits_.minConfidence <= MAX_CONFIDENCE_PERCENT, "minConfidence", limits_.minConfidence);
        _limits = limits_;
        emit LimitsSet(limits_);
    }

    function _checkFeeTerms(FeeTerms memory terms) internal pure {
        _require(terms.managementRate <= MAX_MANAGEMENT_RATE, "managementRate", terms.managementRate);
        _require(terms.performanceRate <= MAX_PERFORMANCE_RATE, "performanceRate", terms.performanceRate);
        _require(terms.withdrawalRate <= MAX_WITHDRAWAL_RATE, "withdrawalRate", terms.withdrawalRate);
        _require(terms.capBps <= MAX_FEE_CAP_BPS, "capBps", terms.capBps);
    }

    function _checkAddress(address given) internal view {
        if (given == address(0) || given == address(this)) revert BadAddress(given);
    }
}
