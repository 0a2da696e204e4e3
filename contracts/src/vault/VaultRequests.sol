// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {IFundVaultCore} from "./IFundVaultCore.sol";
import {VaultStorage} from "./VaultStorage.sol";
import {EpochState} from "./VaultTypes.sol";

/// @title VaultRequests
/// @notice Requests from their queue to their claim.
abstract contract VaultRequests is IFundVaultCore, VaultStorage {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;

    uint256 private constant ALL_CREDITED = 1 << 255;

    /// @inheritdoc IFundVaultCore
    function isOperator(address controller, address operator) external view returns (bool) {
        return _operators[controller][operator];
    }

    /// @inheritdoc IFundVaultCore
    function setOperator(address operator, bool approved) external returns (bool) {
        _operators[msg.sender][operator] = approved;
        emit OperatorSet(msg.sender, operator, approved);
        return true;
    }

    /// @inheritdoc IFundVaultCore
    function requestDeposit(uint256 assets, address controller, address owner)
        external
        nonReentrant
        whenOperating
        returns (uint256 requestId)
    {
        _requireOperator(owner);
        requestId = _admit(controller);
        if (assets < _limits.minDeposit) revert DepositTooSmall(assets, _limits.minDeposit);
        uint256 left = _depositRoom(requestId);
        if (assets > left) revert DepositCapReached(assets, left);
        _epochs[requestId].depositAssets += assets.toUint128();
        _deposits[requestId][controller] += assets;
        emit DepositRequest(controller, owner, requestId, msg.sender, assets);
        _pull(_asset, owner, assets);
    }

    /// @inheritdoc IFundVaultCore
    function requestRedeem(uint256 shares, address controller, address owner)
        external
        nonReentrant
        whenOperating
        returns (uint256 requestId)
    {
        if (msg.sender != owner && !_operators[owner][msg.sender]) {
            _spendAllowance(owner, msg.sender, shares);
        }
        requestId = _admit(controller);
        if (shares == 0) revert ZeroAmount();
        Redemption storage redemption = _redemptions[requestId][controller];
        _credit(controller, redemption.shares, redemption.index, _dividendIndex);
        redemption.index = _dividendIndex;
        redemption.shares += shares;
        _epochs[requestId].redeemShares += shares.toUint128();
        _accounted[address(this)] += shares;
        _transfer(owner, address(this), shares);
        emit RedeemRequest(controller, owner, requestId, msg.sender, shares);
    }

    /// @inheritdoc IFundVaultCore
    function cancelDepositRequest(uint256 epoch, address controller, address receiver)
        external
        nonReentrant
        returns (uint256 assets)
    {
        _requireOperator(controller);
        EpochState storage state = _epochs[epoch];
        assets = _deposits[epoch][controller];
        _requireCancellable(epoch, controller, assets, state.depositsRejected);
        _deposits[epoch][controller] = 0;
        state.depositAssets -= assets.toUint128();
        Checkpoints.Trace208 storage trace = _cancelled[epoch];
        trace.push(block.timestamp.toUint48(), trace.latest() + assets.toUint208());
        emit DepositRequestCancelled(epoch, controller, receiver, assets);
        _push(_asset, receiver, assets);
    }

    /// @inheritdoc IFundVaultCore
    function cancelRedeemRequest(uint256 epoch, address controller, address receiver)
        external
        nonReentrant
        returns (uint256 shares)
    {
        _requireOperator(controller);
        EpochState storage state = _epochs[epoch];
        Redemption storage redemption = _redemptions[epoch][controller];
        shares = redemption.shares;
        _requireCancellable(epoch, controller, shares, state.redemptionsRejected);
        _credit(controller, shares, redemption.index, _dividendIndex);
        delete _redemptions[epoch][controller];
        state.redeemShares -= shares.toUint128();
        _release(receiver, shares);
        emit RedeemRequestCancelled(epoch, controller, receiver, shares);
    }

    /// @inheritdoc IFundVaultCore
    function claimDeposit(uint256 epoch, address controller, address receiver)
        external
        nonReentrant
        returns (uint256 shares)
    {
        _requireOperator(controller);
        uint256 assets = claimableDepositRequest(epoch, controller);
        if (assets == 0) revert NothingToClaim(epoch, controller);
        shares = Math.mulDiv(_epochs[epoch].mintedShares, assets, _epochs[epoch].depositAssets);
        _deposits[epoch][controller] = 0;
        _credit(controller, shares, _indexAt[epoch], _dividendIndex);
        _release(receiver, shares);
        emit DepositClaimed(epoch, controller, receiver, shares);
    }

    /// @inheritdoc IFundVaultCore
    function claimRedemption(uint256 epoch, address controller, address receiver) external nonReentrant {
        Redemption storage redemption = _claimRedemption(epoch, controller);
        for (uint256 i; i < _payouts[epoch].length; ++i) {
            if (redemption.claimed & (1 << i) == 0) _payRedemption(epoch, i, redemption, controller, receiver);
        }
    }

    /// @inheritdoc IFundVaultCore
    function claimRedemptionOf(uint256 epoch, uint256 index, address controller, address receiver)
        external
        nonReentrant
        returns (uint256 amount)
    {
        Redemption storage redemption = _claimRedemption(epoch, controller);
        if (index >= _payouts[epoch].length || redemption.claimed & (1 << index) != 0) {
            revert NothingToClaim(epoch, controller);
        }
        return _payRedemption(epoch, index, redemption, controller, receiver);
    }

    /// @inheritdoc IFundVaultCore
    function claimDividend(address account, address receiver) external nonReentrant returns (uint256 assets) {
        _requireOperator(account);
        _settleDividends(account);
        assets = _owed[account];
        if (assets == 0) revert ZeroAmount();
        _owed[account] = 0;
        _dividendPool -= assets;
        emit DividendClaimed(account, receiver, assets);
        _push(_asset, receiver, assets);
    }

    /// @inheritdoc IFundVaultCore
    function pendingDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets) {
        bool pending = requestId >= _epoch || _epochs[requestId].depositsRejected;
        return pending ? _deposits[requestId][controller] : 0;
    }

    /// @inheritdoc IFundVaultCore
    function claimableDepositRequest(uint256 requestId, address controller) public view returns (uint256 assets) {
        bool settled = requestId < _epoch && !_epochs[requestId].depositsRejected;
        return settled ? _deposits[requestId][controller] : 0;
    }

    /// @inheritdoc IFundVaultCore
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares) {
        bool pending = requestId >= _epoch || _epochs[requestId].redemptionsRejected;
        return pending ? _redemptions[requestId][controller].shares : 0;
    }

    /// @inheritdoc IFundVaultCore
    function claimableRedeemRequest(uint256 requestId, address controller) public view returns (uint256 shares) {
        if (requestId >= _epoch || _epochs[requestId].redemptionsRejected) return 0;
        Redemption storage redemption = _redemptions[requestId][controller];
        uint256 all = ALL_CREDITED | ((1 << _payouts[requestId].length) - 1);
        return redemption.claimed == all ? 0 : redemption.shares;
    }

    /// @dev The epoch that a request joins now; reverts where the registry's value is not good for one.
    function _admit(address controller) private view returns (uint256) {
        if (controller == address(0)) revert BadAddress(controller);
        _registry.ppsOrRevert(_fundId);
        return _joinableEpoch();
    }

    function _joinableEpoch() internal view returns (uint256) {
        return block.timestamp < _closesAt ? _epoch : _epoch + 1;
    }

    /// @dev Assets that an epoch still takes.
    function _depositRoom(uint256 epoch) internal view returns (uint256) {
        return Math.saturatingSub(_limits.depositCap, _epochs[epoch].depositAssets);
    }

    function _requireCancellable(uint256 epoch, address controller, uint256 amount, bool rejected) private view {
        if (amount == 0 || (epoch < _epoch && !rejected)) revert NothingToClaim(epoch, controller);
        if (rejected || _frozen || _closed) return;
        uint256 from = _overdueFrom();
        if (block.timestamp < from) revert NotCancellable(epoch, from);
    }

    /// @dev The redemption of a controller of which something is left, its dividends credited.
    function _claimRedemption(uint256 epoch, address controller) private returns (Redemption storage redemption) {
        _requireOperator(controller);
        uint256 shares = claimableRedeemRequest(epoch, controller);
        if (shares == 0) revert NothingToClaim(epoch, controller);
        redemption = _redemptions[epoch][controller];
        if (redemption.claimed & ALL_CREDITED == 0) {
            redemption.claimed |= ALL_CREDITED;
            _credit(controller, shares, redemption.index, _indexAt[epoch]);
        }
    }

    function _payRedemption(
        uint256 epoch,
        uint256 index,
        Redemption storage redemption,
        address controller,
        address receiver
    ) private returns (uint256 amount) {
        Payout storage payout = _payouts[epoch][index];
        amount = Math.mulDiv(payout.amount, redemption.shares, _epochs[epoch].redeemShares);
        redemption.claimed |= 1 << index;
        emit RedemptionClaimed(epoch, controller, receiver, payout.token, amount);
        _push(payout.token, receiver, amount);
    }

    /// @dev Hands out shares that the vault held for somebody.
    function _release(address receiver, uint256 shares) private {
        _accounted[address(this)] -= shares;
        _transfer(address(this), receiver, shares);
    }
}
