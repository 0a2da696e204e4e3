// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IFundVaultCore} from "./IFundVaultCore.sol";
import {IQuoter} from "./IQuoter.sol";
import {VaultMath, WAD} from "./VaultMath.sol";
import {VaultRequests} from "./VaultRequests.sol";
import {Breakdown, EpochState} from "./VaultTypes.sol";

/// @title VaultSettlement
/// @notice What happens when an epoch is settled.
abstract contract VaultSettlement is VaultRequests {
    using SafeCast for uint256;

    /// @dev What the registry serves, and the shares that its pps was posted for.
    struct Post {
        uint256 nav;
        uint256 pps;
        uint256 valuationTs;
        uint256 supply;
    }

    /// @inheritdoc IFundVaultCore
    function settle(uint256 epoch, uint104[5] calldata components)
        external
        nonReentrant
        onlyRole(KEEPER_ROLE)
        whenOperating
    {
        Post memory post = _checkedPost(epoch);
        _recordBreakdown(epoch, post, components);
        _takeFees(epoch, post);
        _settleDeposits(epoch, post);
        _settleRedemptions(epoch, post);
        _applyFeeTerms();
        _epochs[epoch].pps = post.pps.toUint96();
        _indexAt[epoch] = _dividendIndex;
        _epoch = epoch + 1;
        // The first closing time of the old rhythm that still lies ahead: one settlement per epoch length at most.
        _closesAt += ((block.timestamp - _closesAt) / _epochLength + 1) * _epochLength;
        emit Settled(epoch, post.valuationTs, post.nav, post.pps, _closesAt);
    }

    function _checkedPost(uint256 epoch) private view returns (Post memory post) {
        _requireCurrent(epoch);
        if (block.timestamp < _closesAt + _minDelay) revert TooEarly(block.timestamp, _closesAt + _minDelay);
        // Reverts when the value is held, estimated, stale or closed, or posting is paused.
        _registry.ppsOrRevert(_fundId);
        uint256 confidence;
        (post.nav, post.pps, post.valuationTs, confidence,) = _registry.read(_fundId);
        if (post.valuationTs < _closesAt || post.valuationTs <= _newerThan) {
            revert PostTooOld(post.valuationTs, _closesAt, _newerThan);
        }
        if (confidence < _limits.minConfidence) revert LowConfidence(confidence, _limits.minConfidence);
        if (post.pps < _limits.minSharePrice) revert SharePriceTooLow(post.pps, _limits.minSharePrice);
        post.supply = totalSupply();
    }

    function _recordBreakdown(uint256 epoch, Post memory post, uint104[5] calldata components) private {
        uint256 assets = uint256(components[0]) + components[1] + components[2];
        uint256 liabilities = uint256(components[3]) + components[4];
        if (assets != post.nav + liabilities) revert WrongBreakdown(assets, liabilities, post.nav);
        _breakdown = Breakdown({
            cash: components[0],
            collateral: components[1],
            income: components[2],
            debt: components[3],
            liabilities: components[4],
            valuationTs: post.valuationTs.toUint48(),
            epoch: epoch.toUint48()
        });
        emit BreakdownSettled(epoch, components);
    }

    /// @dev The posted pps is net of these fees, so minting them leaves it as it is: a liability turns into shares
    /// worth no more. That is also why what follows uses the supply from before, `post.supply`, with the posted nav.
    function _takeFees(uint256 epoch, Post memory post) private {
        uint256 management;
        uint256 performance;
        uint256 forgiven;
        uint256 shares;
        if (post.supply == 0) {
            // Nobody is left whose loss the mark would remember: the next shares begin at par.
            _highWaterMark = WAD;
        } else {
            (management, performance, forgiven, shares) = _feesDue(post.pps, post.valuationTs);
            if (shares != 0) _mint(_feeRecipient, shares);
            _highWaterMark = Math.max(_highWaterMark, post.pps);
            _flows.feeShares += shares.toUint128();
        }
        _feeClock = post.valuationTs;
        emit FeesTaken(epoch, management, performance, forgiven, shares, _highWaterMark);
    }

    function _settleDeposits(uint256 epoch, Post memory post) private {
        EpochState storage state = _epochs[epoch];
        uint256 assets = state.depositAssets;
        if (assets == 0 || state.depositsRejected) return;
        uint256 value = _creditedValue(epoch, post, _value(assets));
        uint256 shares = post.supply == 0 ? value : VaultMath.sharesFor(value, post.pps);
        state.mintedShares = shares.toUint128();
        _flows.depositedAssets += assets.toUint128();
        _flows.depositedValue += value.toUint128();
        _flows.mintedShares += shares.toUint128();
        _idle[_asset] += assets;
        _accounted[address(this)] += shares;
        _mint(address(this), shares);
        emit DepositsSettled(epoch, assets, value, shares);
    }

    /// @dev The value that the deposits are minted for: what the posted NAV shows of them, but not more than they are
    /// worth within the tolerance. NAV_before is known between pps x S and (pps + 1) x S: it must not be too little by
    /// the smaller, and is minted by the larger.
    function _creditedValue(uint256 epoch, Post memory post, uint256 queued) private view returns (uint256 value) {
        if (post.supply == 0 && post.pps != WAD) revert SharePriceNotPar(post.pps);
        uint256 gone = _value(_cancelledSince(epoch, post.valuationTs));
        uint256 delta = Math.saturatingSub(post.nav, gone + VaultMath.valueOf(post.supply, post.pps));
        value = Math.saturatingSub(post.nav, gone + VaultMath.valueAbove(post.supply, post.pps));
        value = Math.min(value, VaultMath.widened(queued, _limits.toleranceBps));
        if (value == 0 || !VaultMath.reaches(delta, queued, _limits.toleranceBps)) revert DeltaTooSmall(delta, queued);
    }

    function _settleRedemptions(uint256 epoch, Post memory post) private {
        EpochState storage state = _epochs[epoch];
        uint256 shares = state.redemptionsRejected ? 0 : state.redeemShares;
        uint256 feeShares = Math.mulDiv(shares, _feeTerms.withdrawalRate, WAD, Math.Rounding.Ceil);
        uint256 part = VaultMath.valueOf(shares - feeShares, post.pps);
        uint256 worth = _payDelivered(epoch, part);
        if (shares == 0) return;
        _flows.redeemedValue += Math.min(part, worth).toUint128();
        _flows.burnedShares += (shares - feeShares).toUint128();
        _flows.withdrawalFeeShares += feeShares.toUint128();
        _accounted[address(this)] -= shares;
        if (feeShares != 0) _transfer(address(this), _feeRecipient, feeShares);
        _burn(address(this), shares - feeShares);
        emit RedemptionsSettled(epoch, shares, feeShares, part, worth);
    }

    /// @dev Sets aside of each delivered token what is due, returns the rest to idle. Quotes are rounded down: what
    /// they may hide, less than one unit of the asset each, is counted against the redeemers where only a part is paid.
    function _payDelivered(uint256 epoch, uint256 part) private returns (uint256 worth) {
        uint256 count = _payoutTokens.length + 1;
        uint256 hidden;
        for (uint256 i; part != 0 && i < count; ++i) {
            address token = _deliverable(i);
            if (_delivered[token] == 0) continue;
            worth += _worthOf(token, _delivered[token]);
            if (token != _asset) hidden += _assetScale;
        }
        if (!VaultMath.reaches(worth, part, _limits.toleranceBps)) revert DeliveryTooSmall(worth, part);
        for (uint256 i; i < count; ++i) {
            address token = _deliverable(i);
            uint256 amount = _delivered[token];
            if (amount == 0) continue;
            uint256 paid = amount;
            if (part == 0) paid = 0;
            else if (worth > part) paid = Math.mulDiv(amount, part, worth + hidden);
            _delivered[token] = 0;
            _idle[token] += amount - paid;
            if (paid != 0) _payouts[epoch].push(Payout(token, paid));
            emit DeliverySettled(epoch, token, paid, amount - paid);
        }
    }

    /// @dev Value (Wad) of an amount of a deliverable token: the asset at par, others as quoted in the asset.
    function _worthOf(address token, uint256 amount) private view returns (uint256) {
        return _value(token == _asset ? amount : IQuoter(_quoter).getQuote(amount, token, _asset));
    }

    /// @dev Terms never change what a time that has passed already costs: they follow the settlement of that time.
    function _applyFeeTerms() private {
        if (keccak256(abi.encode(_feeTerms)) == keccak256(abi.encode(_nextFeeTerms))) return;
        _feeTerms = _nextFeeTerms;
        emit FeeTermsSet(_feeTerms);
    }
}
