// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// What the vault's calls take and answer. A Wad is scaled by 1e18; "assets" are raw units of the vault's asset; "value"
// is a Wad of the unit of account, of which one whole asset is one; times are Unix seconds; bps are 1/10,000.

/// @notice What a vault is created with.
struct Configuration {
    /// @dev The registry that the fund's NAV is posted to.
    address registry;
    /// @dev The fund's id there; it is registered with this vault and this asset before the vault opens.
    uint256 fundId;
    /// @dev ERC-20 of at most 18 decimals that moves what it says (no fee on transfer, no rebasing).
    address asset;
    /// @dev First holder of DEFAULT_ADMIN_ROLE; a timelock in production.
    address admin;
    /// @dev Where deployed assets go.
    address custodian;
    /// @dev Who gets the fee shares.
    address feeRecipient;
    /// @dev Values units delivered in kind; may be zero while there are no payout tokens.
    address quoter;
    /// @dev Seconds from one closing of an epoch to the next.
    uint32 epochLength;
    /// @dev Seconds from the closing of an epoch to its earliest settlement.
    uint32 minDelay;
    Limits limits;
    FeeTerms feeTerms;
}

/// @notice What ADMIN may change at any time.
struct Limits {
    /// @dev Assets that one epoch's deposit requests may sum up to.
    uint128 depositCap;
    /// @dev Smallest deposit request, in assets.
    uint128 minDeposit;
    /// @dev Wad; nothing settles under it.
    uint96 minSharePrice;
    /// @dev Seconds after an epoch's closing from which its requests can be cancelled.
    uint32 cancelGrace;
    /// @dev How far the value of deposited assets, or of delivered units, may lie from what is due.
    uint16 toleranceBps;
    /// @dev Percent; a post of less settles nothing.
    uint8 minConfidence;
}

/// @notice The fees. New terms take effect when the next settlement has been made under the old ones.
struct FeeTerms {
    /// @dev Wad of gross NAV per 365 days.
    uint64 managementRate;
    /// @dev Wad of the gain above the high-water mark.
    uint64 performanceRate;
    /// @dev Wad of the shares redeemed.
    uint64 withdrawalRate;
    /// @dev Most that management and performance fee of one settlement may take of the net NAV.
    uint16 capBps;
}

/// @notice The components of the NAV that an epoch was settled with (Wad): cash + collateral + income - debt -
/// liabilities.
struct Breakdown {
    uint104 cash;
    uint104 collateral;
    uint48 valuationTs;
    uint104 income;
    uint104 debt;
    uint48 epoch;
    uint104 liabilities;
}

/// @notice What would settle next.
struct SettlementState {
    /// @dev The oldest unsettled epoch.
    uint256 epoch;
    /// @dev Requests before this time are in `epoch`, others in the next.
    uint256 closesAt;
    /// @dev The earliest time of its settlement.
    uint256 settleableAt;
    /// @dev A post settles only if its valuation time is at least `closesAt` and after this (the last dividend or
    /// opening).
    uint256 newerThan;
    /// @dev Assets queued in `epoch`: part of NAV_after, not of NAV_before. Zero when they were rejected.
    uint256 depositAssets;
    /// @dev Shares to be redeemed in `epoch`, still outstanding. Zero when they were rejected.
    uint256 redeemShares;
    /// @dev Assets queued in the next epoch: part of neither NAV.
    uint256 nextDepositAssets;
    /// @dev Shares to be redeemed in the next epoch, still outstanding.
    uint256 nextRedeemShares;
    /// @dev Shares outstanding, the S of `pps x S`.
    uint256 supply;
    bool frozen;
    bool closed;
    bool paused;
}

/// @notice One epoch.
struct EpochState {
    /// @dev Assets requested, less those cancelled.
    uint128 depositAssets;
    /// @dev Shares to redeem, less those cancelled.
    uint128 redeemShares;
    /// @dev Shares minted for the deposits.
    uint128 mintedShares;
    /// @dev Price per share that the epoch was settled at (Wad); zero before.
    uint96 pps;
    bool depositsRejected;
    bool redemptionsRejected;
}

/// @notice Sums over the vault's life; a reader compares two blocks.
struct FlowTotals {
    /// @dev Assets of settled deposits.
    uint128 depositedAssets;
    /// @dev Value that shares were minted for.
    uint128 depositedValue;
    /// @dev Value paid to redeemers: the part due, or what was delivered when that is less.
    uint128 redeemedValue;
    /// @dev Shares minted for deposits.
    uint128 mintedShares;
    /// @dev Shares burned by redemptions.
    uint128 burnedShares;
    /// @dev Shares minted for management and performance fees.
    uint128 feeShares;
    /// @dev Shares that redeemers left to the fee recipient.
    uint128 withdrawalFeeShares;
    /// @dev Assets declared as dividends.
    uint128 dividendAssets;
}
