// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFundVaultEvents} from "./IFundVaultEvents.sol";
import {Breakdown, EpochState, FeeTerms, FlowTotals, Limits, SettlementState} from "./VaultTypes.sol";

/// @title IFundVaultExtension
/// @notice The vault for those who run and watch it: the fund's units, stops, settings, and every other read. The vault
/// hands these calls to its extension, so they are made at the vault's address.
interface IFundVaultExtension is IFundVaultEvents {
    // ---- MANAGER

    /// @notice Sends idle units to the custodian.
    function deployIdle(address token, uint256 amount) external;

    /// @notice Pulls units from the caller for the redeemers of the current epoch. They are part of the NAV until it is
    /// settled; what is too much returns to idle then.
    function deliver(uint256 epoch, address token, uint256 amount) external;

    /// @notice Delivers idle units to the redeemers of the current epoch.
    function deliverFromIdle(uint256 epoch, address token, uint256 amount) external;

    /// @notice Takes delivered units of the current epoch back to idle.
    function recall(uint256 epoch, address token, uint256 amount) external;

    /// @notice Distributes assets over all shares outstanding, escrowed and unclaimed ones included, and lowers the
    /// high-water mark by the same per share, rounded down. The next settlement needs a post valued after it. A closed
    /// vault may distribute, a paused or frozen one may not.
    /// @param fromIdle Whether the assets are idle ones, else they are pulled from the caller.
    function declareDividend(uint256 assets, bool fromIdle) external;

    // ---- GUARDIAN and RISK

    /// @notice Stops requests, settlement, deployment and dividends; claims go on. GUARDIAN.
    function pause() external;

    /// @notice Ends a pause. RISK.
    function unpause() external;

    /// @notice As a pause, and requests can be cancelled; for a fund found insolvent. GUARDIAN.
    function freeze(string calldata reason) external;

    /// @notice Ends a freeze. RISK.
    function unfreeze() external;

    /// @notice Takes the current epoch's deposits or redemptions out of its settlement once that is overdue, so that
    /// the requests of some cannot keep all others from settling; they can be cancelled at any time then. RISK.
    function rejectRequests(uint256 epoch, bool deposits, bool redemptions) external;

    // ---- DEFAULT_ADMIN

    /// @notice Opens a vault, which begins closed, or reopens it: the registry must know the fund by this vault and
    /// asset and serve it live and free, and with shares outstanding by a fresh post. The high-water mark starts at the
    /// served pps (1e18 without shares) and the fee clock at its valuation time: fees that were not settled before the
    /// closing are forgiven.
    function open() external;

    /// @notice Closes the vault: no requests, no settlement; requests can be cancelled, dividends paid.
    function close() external;

    /// @notice Sets the limits, within the bounds of `VaultSettings.sol`, at once.
    function setLimits(Limits calldata limits_) external;

    /// @notice Schedules fee terms for the time after the next settlement.
    function setFeeTerms(FeeTerms calldata terms) external;

    /// @notice Sets where idle units and surplus go.
    function setCustodian(address custodian_) external;

    /// @notice Sets who gets the fee shares of settlements to come.
    function setFeeRecipient(address feeRecipient_) external;

    /// @notice Sets who values units delivered in kind (ERC-7726).
    function setQuoter(address quoter_) external;

    /// @notice Puts a token on the list of those that redeemers may be paid in beside the asset, or takes it off.
    function setPayoutToken(address token, bool allowed) external;

    /// @notice Sends units that belong to no account of the vault to the custodian.
    function sweep(address token) external returns (uint256 amount);

    // ---- reads: the fund

    /// @notice The registry whose post prices the shares.
    function registry() external view returns (address);
    /// @notice The fund's id in it.
    function fundId() external view returns (uint256);
    /// @notice 10^(18 - decimals of the asset): assets x this is their value.
    function assetScale() external view returns (uint256);
    /// @notice Seconds from one closing to the next.
    function epochLength() external view returns (uint256);
    /// @notice Seconds from a closing to the earliest settlement.
    function minDelay() external view returns (uint256);
    /// @notice Where idle units and surplus go.
    function custodian() external view returns (address);
    /// @notice Who gets the fee shares.
    function feeRecipient() external view returns (address);
    /// @notice Who values units delivered in kind.
    function quoter() external view returns (address);
    /// @notice The limits in effect.
    function limits() external view returns (Limits memory);
    /// @notice Whether a guardian froze the vault.
    function frozen() external view returns (bool);
    /// @notice Whether the vault is closed.
    function closed() external view returns (bool);
    /// @notice The tokens that redeemers may be paid in beside the asset.
    function payoutTokens() external view returns (address[] memory);

    // ---- reads: settlement

    /// @notice What would settle next.
    function settlement() external view returns (SettlementState memory);
    /// @notice The asset and the payout tokens, with the units delivered to the current epoch and the idle ones.
    function deliveries()
        external
        view
        returns (address[] memory tokens, uint256[] memory delivered, uint256[] memory idle);
    /// @notice Assets of an epoch's deposit requests cancelled at or after a time: a NAV valued then still counts them.
    function cancelledSince(uint256 epoch, uint256 timestamp) external view returns (uint256 assets);
    /// @notice One epoch, settled or not.
    function epochOf(uint256 epoch) external view returns (EpochState memory);
    /// @notice What the redeemers of a settled epoch share.
    function payoutsOf(uint256 epoch) external view returns (address[] memory tokens, uint256[] memory amounts);
    /// @notice The components of the last settlement.
    function breakdown() external view returns (Breakdown memory);
    /// @notice Sums over the vault's life.
    function flowTotals() external view returns (FlowTotals memory);

    // ---- reads: fees

    /// @notice The terms in effect and those that follow after the next settlement.
    function feeTerms() external view returns (FeeTerms memory current, FeeTerms memory next);
    /// @notice Where the fees stand.
    /// @return highWaterMark Wad per share.
    /// @return feeClock Unix seconds up to which the management fee has been taken.
    function feeState() external view returns (uint256 highWaterMark, uint256 feeClock);
    /// @notice The fees that a settlement on a post of this pps and time would take (values and shares).
    function feesDue(uint256 pps, uint256 valuationTs)
        external
        view
        returns (uint256 management, uint256 performance, uint256 forgiven, uint256 shares);

    // ---- reads: accounts

    /// @notice Units of the fund that lie in the vault and are neither queued nor delivered.
    function idleOf(address token) external view returns (uint256);
    /// @notice Units of all accounts of the vault together; for the share token, shares in escrow and unclaimed.
    function accountedOf(address token) external view returns (uint256);
    /// @notice Units beyond all accounts.
    function surplus(address token) external view returns (uint256);

    // ---- reads: dividends

    /// @notice Dividends on the account's own shares and those moved to it by claims and cancellations.
    function dividendOf(address account) external view returns (uint256 assets);
    /// @notice Sum of dividends per share since the beginning, in assets scaled by 2^128.
    function dividendIndex() external view returns (uint256);
    /// @notice Assets of dividends that nobody has claimed.
    function dividendPool() external view returns (uint256 assets);
}
