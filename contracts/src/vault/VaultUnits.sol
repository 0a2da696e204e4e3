// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IFundVaultExtension} from "./IFundVaultExtension.sol";
import {WAD} from "./VaultMath.sol";
import {VaultSettings} from "./VaultSettings.sol";

/// @title VaultUnits
/// @notice The ways of the fund's units: out to the custodian, to the redeemers, to the holders as dividends.
abstract contract VaultUnits is IFundVaultExtension, VaultSettings {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    /// @dev Settlement walks through the list.
    uint256 private constant MAX_PAYOUT_TOKENS = 8;

    /// @inheritdoc IFundVaultExtension
    function deployIdle(address token, uint256 amount) external nonReentrant onlyRole(MANAGER_ROLE) whenOperating {
        _takeIdle(token, amount);
        emit Deployed(token, _custodian, amount);
        _push(token, _custodian, amount);
    }

    /// @inheritdoc IFundVaultExtension
    function deliver(uint256 epoch, address token, uint256 amount) external nonReentrant onlyRole(MANAGER_ROLE) {
        _requireDeliverable(epoch, token);
        _pull(token, msg.sender, amount);
        _delivered[token] += amount;
        emit Delivered(epoch, token, amount, false);
    }

    /// @inheritdoc IFundVaultExtension
    function deliverFromIdle(uint256 epoch, address token, uint256 amount)
        external
        nonReentrant
        onlyRole(MANAGER_ROLE)
    {
        _requireDeliverable(epoch, token);
        _takeIdle(token, amount);
        _delivered[token] += amount;
        emit Delivered(epoch, token, amount, true);
    }

    /// @inheritdoc IFundVaultExtension
    function recall(uint256 epoch, address token, uint256 amount) external nonReentrant onlyRole(MANAGER_ROLE) {
        _requireCurrent(epoch);
        if (amount > _delivered[token]) revert NotEnough(token, amount, _delivered[token]);
        _delivered[token] -= amount;
        _idle[token] += amount;
        emit Recalled(epoch, token, amount);
    }

    /// @inheritdoc IFundVaultExtension
    function sweep(address token) external nonReentrant onlyRole(DEFAULT_ADMIN_ROLE) returns (uint256 amount) {
        amount = surplus(token);
        if (amount == 0) revert ZeroAmount();
        emit Swept(token, _custodian, amount);
        IERC20(token).safeTransfer(_custodian, amount);
    }

    /// @inheritdoc IFundVaultExtension
    function setPayoutToken(address token, bool allowed) external onlyRole(DEFAULT_ADMIN_ROLE) {
        uint256 count = _payoutTokens.length;
        uint256 place = _placeOf(token);
        if (allowed) {
            bool unfit = token == _asset || token == address(this) || token == address(0);
            if (unfit || place < count || count == MAX_PAYOUT_TOKENS) revert BadPayoutToken(token);
            _payoutTokens.push(token);
        } else {
            if (place == count || _delivered[token] != 0) revert BadPayoutToken(token);
            _payoutTokens[place] = _payoutTokens[count - 1];
            _payoutTokens.pop();
        }
        emit PayoutTokenSet(token, allowed);
    }

    /// @inheritdoc IFundVaultExtension
    function declareDividend(uint256 assets, bool fromIdle) external nonReentrant onlyRole(MANAGER_ROLE) {
        _requireRunning();
        uint256 supply = totalSupply();
        if (supply == 0) revert NotEnough(address(this), 1, 0);
        uint256 perShare = Math.mulDiv(_value(assets), WAD, supply);
        // The mark is at least what a share was last worth: nothing that large can be there to distribute, and a mark
        // of zero would tax all capital as gain.
        if (perShare >= _highWaterMark) revert DividendTooLarge(perShare, _highWaterMark);
        _highWaterMark -= perShare;
        _newerThan = block.timestamp;
        _dividendIndex += Math.mulDiv(assets, INDEX_SCALE, supply);
        _dividendPool += assets;
        _flows.dividendAssets += assets.toUint128();
        emit DividendDeclared(assets, _dividendIndex, _highWaterMark);
        if (fromIdle) _takeIdle(_asset, assets);
        else _pull(_asset, msg.sender, assets);
    }

    /// @inheritdoc IFundVaultExtension
    function surplus(address token) public view returns (uint256) {
        uint256 balance = IERC20(token).balanceOf(address(this));
        // A token that lost units by itself has no surplus: its accounts stand, and who claims last finds too little.
        return balance > _accounted[token] ? balance - _accounted[token] : 0;
    }

    function _requireDeliverable(uint256 epoch, address token) private view {
        if (_closed) revert VaultIsClosed();
        _requireCurrent(epoch);
        if (token != _asset && _placeOf(token) == _payoutTokens.length) revert BadPayoutToken(token);
    }

    /// @dev The number of payout tokens when it is none of them.
    function _placeOf(address token) private view returns (uint256 place) {
        uint256 count = _payoutTokens.length;
        while (place < count && _payoutTokens[place] != token) ++place;
    }
}
