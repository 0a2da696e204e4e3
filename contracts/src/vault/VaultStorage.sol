// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {INavRegistry} from "../INavRegistry.sol";
import {VaultAccess} from "./VaultAccess.sol";
import {VaultMath} from "./VaultMath.sol";
import {Breakdown, Configuration, EpochState, FeeTerms, FlowTotals, Limits} from "./VaultTypes.sol";

/// @title VaultStorage
/// @notice All that a vault remembers, and the few steps by which units, shares and dividends move.
/// @dev The vault and its extension both stand on this contract and add no variable of their own, so that the
/// extension's code finds the vault's storage where it expects it.
///
/// No figure comes from a balance: every unit that the vault was given belongs to an account, the rest is a surplus.
abstract contract VaultStorage is VaultAccess, ReentrancyGuardTransient, ERC20 {
    using SafeERC20 for IERC20;
    using Checkpoints for Checkpoints.Trace208;

    /// @dev `index` is the dividend index up to which the controller was credited; `claimed` has a bit for each payout,
    /// and ALL_CREDITED.
    struct Redemption {
        uint256 shares;
        uint256 index;
        uint256 claimed;
    }

    struct Payout {
        address token;
        uint256 amount;
    }

    uint256 private constant MAX_DECIMALS = 18;
    /// @dev The scale of the dividend index: 2^128.
    uint256 internal constant INDEX_SCALE = 0x100000000000000000000000000000000;

    // ---- the fund
    INavRegistry internal immutable _registry;
    uint256 internal immutable _fundId;
    address internal immutable _asset;
    /// @dev 10^(18 - decimals of the asset).
    uint256 internal immutable _assetScale;
    uint256 internal immutable _epochLength;
    uint256 internal immutable _minDelay;
    address internal _custodian;
    address internal _feeRecipient;
    address internal _quoter;
    Limits internal _limits;
    FeeTerms internal _feeTerms;
    FeeTerms internal _nextFeeTerms;
    address[] internal _payoutTokens;

    // ---- epochs
    /// @dev The oldest unsettled epoch.
    uint256 internal _epoch = 1;
    /// @dev Requests before this time are in it.
    uint256 internal _closesAt;
    /// @dev Only a post valued after this time settles: an older one does not know the last dividend or opening.
    uint256 internal _newerThan;
    mapping(uint256 epoch => EpochState) internal _epochs;
    mapping(uint256 epoch => mapping(address controller => uint256 assets)) internal _deposits;
    mapping(uint256 epoch => mapping(address controller => Redemption)) internal _redemptions;
    /// @dev Assets cancelled in an epoch, cumulated by time.
    mapping(uint256 epoch => Checkpoints.Trace208) internal _cancelled;
    mapping(uint256 epoch => Payout[]) internal _payouts;
    mapping(address controller => mapping(address operator => bool)) internal _operators;

    // ---- units
    mapping(address token => uint256) internal _idle;
    /// @dev To the current epoch; settlement empties it.
    mapping(address token => uint256) internal _delivered;
    /// @dev The sum of all accounts: idle, delivered, queued, claimable, dividends; of the share: escrow and unclaimed.
    mapping(address token => uint256) internal _accounted;

    // ---- dividends
    /// @dev Sum of dividends per share, in assets scaled by INDEX_SCALE.
    uint256 internal _dividendIndex;
    uint256 internal _dividendPool;
    /// @dev The index at the settlement of an epoch: before it escrowed shares, after it minted ones take part.
    mapping(uint256 epoch => uint256) internal _indexAt;
    mapping(address account => uint256) internal _settledIndex;
    mapping(address account => uint256) internal _owed;

    // ---- fees and totals
    /// @dev Wad per share.
    uint256 internal _highWaterMark;
    /// @dev Unix seconds up to which the management fee has been taken.
    uint256 internal _feeClock;
    Breakdown internal _breakdown;
    FlowTotals internal _flows;

    constructor(Configuration memory configuration) {
        uint256 decimals = IERC20Metadata(configuration.asset).decimals();
        _require(decimals <= MAX_DECIMALS, "decimals", decimals);
        _registry = INavRegistry(configuration.registry);
        _fundId = configuration.fundId;
        _asset = configuration.asset;
        _assetScale = 10 ** (MAX_DECIMALS - decimals);
        _epochLength = configuration.epochLength;
        _minDelay = configuration.minDelay;
    }

    /// @dev Value (Wad) of an amount of the asset.
    function _value(uint256 assets) internal view returns (uint256) {
        return assets * _assetScale;
    }

    /// @dev The tokens that can be delivered: the asset, then the payout tokens.
    function _deliverable(uint256 index) internal view returns (address) {
        return index == 0 ? _asset : _payoutTokens[index - 1];
    }

    function _takeIdle(address token, uint256 amount) internal {
        if (amount == 0) revert ZeroAmount();
        if (amount > _idle[token]) revert NotEnough(token, amount, _idle[token]);
        _idle[token] -= amount;
    }

    /// @dev Takes units into the accounts; a token that keeps a part of them is refused.
    function _pull(address token, address from, uint256 amount) internal {
        if (amount == 0) revert ZeroAmount();
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert WrongAmountReceived(token, amount, received);
        _accounted[token] += amount;
    }

    /// @dev Pays units out of the accounts; the caller has taken them off their account.
    function _push(address token, address to, uint256 amount) internal {
        _accounted[token] -= amount;
        IERC20(token).safeTransfer(to, amount);
    }

    function _requireCurrent(uint256 epoch) internal view {
        if (epoch != _epoch) revert WrongEpoch(epoch, _epoch);
    }

    // ---- shares and dividends: each movement of shares first settles both sides; shares that the vault itself holds
    // are settled where their owner is known

    /// @dev Credits an account with the dividends on shares that the vault held for it.
    function _credit(address account, uint256 shares, uint256 since, uint256 until) internal {
        _owed[account] += _dividends(shares, since, until);
    }

    function _update(address from, address to, uint256 shares) internal override {
        _settleDividends(from);
        _settleDividends(to);
        super._update(from, to, shares);
    }

    function _settleDividends(address account) internal {
        if (account == address(0) || account == address(this)) return;
        uint256 index = _dividendIndex;
        if (_settledIndex[account] == index) return;
        _credit(account, balanceOf(account), _settledIndex[account], index);
        _settledIndex[account] = index;
    }

    function _dividends(uint256 shares, uint256 since, uint256 until) internal pure returns (uint256) {
        return Math.mulDiv(shares, until - since, INDEX_SCALE);
    }

    // ---- requests and fees

    /// @dev Assets cancelled in an epoch that a NAV valued at this time still counts.
    function _cancelledSince(uint256 epoch, uint256 timestamp) internal view returns (uint256 assets) {
        Checkpoints.Trace208 storage trace = _cancelled[epoch];
        // Blocks can share a time: what was cancelled in the very second is counted as unseen, against the depositors.
        uint256 seen = timestamp == 0 ? 0 : trace.upperLookupRecent(uint48(Math.min(timestamp - 1, type(uint48).max)));
        return trace.latest() - seen;
    }

    function _overdueFrom() internal view returns (uint256) {
        return _closesAt + _limits.cancelGrace;
    }

    function _requireOperator(address account) internal view {
        if (msg.sender != account && !_operators[account][msg.sender]) revert NotOperator(account, msg.sender);
    }

    /// @dev The fees of a settlement at this pps and time (values), and the shares to mint for them.
    function _feesDue(uint256 pps, uint256 valuationTs)
        internal
        view
        returns (uint256 management, uint256 performance, uint256 forgiven, uint256 shares)
    {
        uint256 elapsed = Math.saturatingSub(valuationTs, _feeClock);
        (management, performance, forgiven) = VaultMath.fees(_feeTerms, totalSupply(), pps, _highWaterMark, elapsed);
        shares = VaultMath.sharesFor(management + performance - forgiven, pps);
    }

    function _require(bool condition, bytes32 name, uint256 value) internal pure {
        if (!condition) revert BadSetting(name, value);
    }
}
