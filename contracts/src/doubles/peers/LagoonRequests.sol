// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {LagoonFees} from "./LagoonFees.sol";

/// @title LagoonRequests
/// @notice Requests of a Lagoon vault, their settlement at the vault's price, and claims at the settlement's.
/// @dev Behaviour from hopperlabsxyz/lagoon-v0 src/v0.6.0/libraries/ERC7540Lib.sol. Not here: access lists, operators,
/// cancelling, the cap, the native asset, and deposits and redemptions at once while total assets are valid.
abstract contract LagoonRequests is LagoonFees, Pausable {
    using Math for uint256;
    using SafeERC20 for IERC20;

    event DepositRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 assets
    );
    event RedeemRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 shares
    );
    event SettleDeposit(
        uint40 indexed epochId,
        uint40 indexed settledId,
        uint256 totalAssets,
        uint256 totalSupply,
        uint256 assetsDeposited,
        uint256 sharesMinted
    );
    event SettleRedeem(
        uint40 indexed epochId,
        uint40 indexed settledId,
        uint256 totalAssets,
        uint256 totalSupply,
        uint256 assetsWithdrawed,
        uint256 sharesBurned
    );

    error ERC7540InvalidOperator();
    error NotOpen(State currentState);
    error OnlyOneRequestAllowed();
    error OnlySyncDepositAllowed();
    error RequestIdNotClaimable();

    modifier onlyOpen() {
        if (_state().state != State.Open) revert NotOpen(_state().state);
        _;
    }

    modifier onlyOf(address account) {
        if (msg.sender != account) revert ERC7540InvalidOperator();
        _;
    }

    /// @notice Queues assets in the silo, where they are no part of the vault's total.
    function requestDeposit(uint256 assets, address controller, address owner)
        external
        onlyOf(owner)
        whenNotPaused
        returns (uint256)
    {
        if (isTotalAssetsValid()) revert OnlySyncDepositAllowed();
        Account storage account = _account();
        uint40 id = account.depositEpochId;
        uint40 last = account.lastDepositRequestId[controller];
        if (last != id && account.epochs[last].depositRequest[controller] != 0) revert OnlyOneRequestAllowed();
        account.lastDepositRequestId[controller] = id;
        IERC20(asset()).safeTransferFrom(owner, account.pendingSilo, assets);
        account.epochs[id].depositRequest[controller] += assets;
        emit DepositRequest(controller, owner, id, msg.sender, assets);
        return id;
    }

    /// @notice Queues shares in the silo, where they are still shares.
    function requestRedeem(uint256 shares, address controller, address owner)
        external
        onlyOf(owner)
        onlyOpen
        whenNotPaused
        returns (uint256)
    {
        Account storage account = _account();
        uint40 id = account.redeemEpochId;
        uint40 last = account.lastRedeemRequestId[controller];
        if (last != id && account.epochs[last].redeemRequest[controller] != 0) revert OnlyOneRequestAllowed();
        account.lastRedeemRequestId[controller] = id;
        account.epochs[id].redeemRequest[controller] += shares;
        _transfer(owner, account.pendingSilo, shares);
        emit RedeemRequest(controller, owner, id, msg.sender, shares);
        return id;
    }

    /// @notice Claims the shares of a settled request for deposit.
    function deposit(uint256 assets, address receiver) public override returns (uint256 shares) {
        Account storage account = _account();
        uint40 id = account.lastDepositRequestId[msg.sender];
        if (id > account.lastDepositEpochIdSettled) revert RequestIdNotClaimable();
        account.epochs[id].depositRequest[msg.sender] -= assets;
        Settlement storage settled = account.settles[account.epochs[id].settleId];
        shares = assets.mulDiv(settled.totalSupply + 10 ** _decimalsOffset(), settled.totalAssets + 1);
        shares -= _part(shares, settled.entryFeeRate);
        _transfer(address(this), receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    /// @notice Claims the assets of a settled request for redemption.
    function redeem(uint256 shares, address receiver, address controller)
        public
        override
        onlyOf(controller)
        whenNotPaused
        returns (uint256 assets)
    {
        Account storage account = _account();
        uint40 id = account.lastRedeemRequestId[controller];
        if (id > account.lastRedeemEpochIdSettled) revert RequestIdNotClaimable();
        account.epochs[id].redeemRequest[controller] -= shares;
        Settlement storage settled = account.settles[account.epochs[id].settleId];
        uint256 paid = shares - _part(shares, settled.exitFeeRate);
        assets = paid.mulDiv(settled.totalAssets + 1, settled.totalSupply + 10 ** _decimalsOffset());
        IERC20(asset()).safeTransfer(receiver, assets);
        emit Withdraw(msg.sender, receiver, controller, assets, shares);
    }

    /// @notice Whether the last valuation still counts, so that users may act on it at once.
    function isTotalAssetsValid() public view returns (bool) {
        return block.timestamp < _account().totalAssetsExpiration;
    }

    /// @dev Notes what waits in the silo, so that the next settlement takes that and nothing that comes later.
    function _closeEpochs() internal {
        Account storage account = _account();
        account.epochs[account.depositEpochId].settleId = account.depositSettleId;
        account.epochs[account.redeemEpochId].settleId = account.redeemSettleId;
        uint256 assets = IERC20(asset()).balanceOf(account.pendingSilo);
        uint256 shares = balanceOf(account.pendingSilo);
        if (assets != 0) {
            account.depositEpochId += 2;
            account.settles[account.depositSettleId].pendingAssets = assets;
        }
        if (shares != 0) {
            account.redeemEpochId += 2;
            account.settles[account.redeemSettleId].pendingShares = shares;
        }
    }

    function _settleDeposits(address custodian) internal {
        Account storage account = _account();
        uint40 id = account.depositSettleId;
        Settlement storage settled = account.settles[id];
        uint256 assets = settled.pendingAssets;
        if (assets == 0) return;
        uint256 shares = convertToShares(assets);
        uint16 rate = _fees().rates.entryRate;
        (settled.totalAssets, settled.totalSupply, settled.entryFeeRate) = (totalAssets(), totalSupply(), rate);
        uint256 fee = _part(shares, rate);
        _mint(address(this), shares - fee);
        _mintFee(fee, FeeType.Entry, rate, id);
        account.totalAssets += assets;
        account.depositSettleId = id + 2;
        account.lastDepositEpochIdSettled = account.depositEpochId - 2;
        IERC20(asset()).safeTransferFrom(account.pendingSilo, custodian, assets);
        emit SettleDeposit(
            account.lastDepositEpochIdSettled, id, account.totalAssets, settled.totalSupply + shares, assets, shares
        );
    }

    /// @dev Settles nothing, without a word, when the custodian has too little.
    function _settleRedemptions(address custodian) internal {
        Account storage account = _account();
        uint40 id = account.redeemSettleId;
        Settlement storage settled = account.settles[id];
        uint256 shares = settled.pendingShares;
        uint16 rate = _fees().rates.exitRate;
        uint256 fee = _part(shares, rate);
        uint256 assets = convertToAssets(shares - fee);
        if (assets == 0 || assets > IERC20(asset()).balanceOf(custodian)) return;
        (settled.totalAssets, settled.totalSupply, settled.exitFeeRate) = (totalAssets(), totalSupply(), rate);
        _burn(account.pendingSilo, shares);
        _mintFee(fee, FeeType.Exit, rate, id);
        account.totalAssets -= assets;
        account.redeemSettleId = id + 2;
        account.lastRedeemEpochIdSettled = account.redeemEpochId - 2;
        IERC20(asset()).safeTransferFrom(custodian, address(this), assets);
        emit SettleRedeem(
            account.lastRedeemEpochIdSettled,
            id,
            account.totalAssets,
            settled.totalSupply - (shares - fee),
            assets,
            shares
        );
    }
}
