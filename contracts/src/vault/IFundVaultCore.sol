// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFundVaultEvents} from "./IFundVaultEvents.sol";

/// @title IFundVaultCore
/// @notice The vault for its investors and its keeper: requests, settlement, claims, and the reads of ERC-4626 and
/// ERC-7540.
interface IFundVaultCore is IFundVaultEvents {
    // ---- requests (ERC-7540 in style: claims are separate functions)

    /// @notice Queues assets for shares. The caller is `owner`, who pays, or its operator.
    /// @return requestId The epoch.
    function requestDeposit(uint256 assets, address controller, address owner) external returns (uint256 requestId);

    /// @notice Puts shares in escrow for redemption; they stay outstanding until settled. The caller is `owner`, its
    /// operator, or has its allowance.
    /// @return requestId The epoch.
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256 requestId);

    /// @notice Takes back all that the controller queued in an epoch. Only while the vault is frozen or closed, while
    /// the settlement of the current epoch is overdue by `cancelGrace`, or when the epoch's deposits were rejected: at
    /// other times it would be a free option against the other holders.
    function cancelDepositRequest(uint256 epoch, address controller, address receiver) external returns (uint256 assets);

    /// @notice Takes back the shares that the controller has in escrow in an epoch, on the same conditions.
    function cancelRedeemRequest(uint256 epoch, address controller, address receiver) external returns (uint256 shares);

    /// @notice Hands out the shares of a settled deposit: the controller's part of the minted shares, rounded down.
    function claimDeposit(uint256 epoch, address controller, address receiver) external returns (uint256 shares);

    /// @notice Hands out the units of a settled redemption: of each token the controller's part, rounded down.
    function claimRedemption(uint256 epoch, address controller, address receiver) external;

    /// @notice As `claimRedemption`, for one token of `payoutsOf(epoch)`: a token that cannot be moved keeps none of
    /// the others back.
    function claimRedemptionOf(uint256 epoch, uint256 index, address controller, address receiver)
        external
        returns (uint256 amount);

    /// @notice Hands out the dividends of an account: those on its shares, and those on escrowed and unclaimed ones
    /// once these have been claimed or cancelled.
    function claimDividend(address account, address receiver) external returns (uint256 assets);

    /// @notice Lets an operator request, cancel and claim for the caller, or no longer.
    function setOperator(address operator, bool approved) external returns (bool);

    // ---- KEEPER

    /// @notice Settles the current epoch on the post that the registry serves. In this order, all at its pps: fees are
    /// minted, deposits are minted from the smaller of what the posted NAV shows of them and their value plus the
    /// tolerance, redemptions are burned and paid from the delivered units, queued assets become idle.
    /// @param components cash, collateral, accrued income and rewards, debt, other liabilities and fees (Wad).
    function settle(uint256 epoch, uint104[5] calldata components) external;

    // ---- reads: requests and claims (ERC-7540)

    /// @notice Whether the operator may act for the controller.
    function isOperator(address controller, address operator) external view returns (bool);
    /// @notice Assets queued and not settled.
    function pendingDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets);
    /// @notice Assets of a settled request whose shares were not claimed.
    function claimableDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets);
    /// @notice Shares in escrow and not settled.
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);
    /// @notice Shares of a settled redemption of which something was not claimed.
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);

    // ---- reads: ERC-4626 (they never revert; the price is the served one, however old)

    /// @notice The token that deposits are made in.
    function asset() external view returns (address);
    /// @notice Net NAV of the shares outstanding, without queued assets, rounded down.
    function totalAssets() external view returns (uint256 assets);
    /// @notice Rounded down; one for one without shares; zero where no price was ever served.
    function convertToShares(uint256 assets) external view returns (uint256 shares);
    /// @notice Rounded down; one for one without shares.
    function convertToAssets(uint256 shares) external view returns (uint256 assets);
    /// @notice What can be requested now: zero while frozen, closed or paused, and while the registry is paused or the
    /// served value is held, estimated or stale.
    function maxDeposit(address receiver) external view returns (uint256 assets);
    /// @notice `maxDeposit` as shares.
    function maxMint(address receiver) external view returns (uint256 shares);
    /// @notice The owner's shares, or zero as for `maxDeposit`.
    function maxRedeem(address owner) external view returns (uint256 shares);
    /// @notice `maxRedeem` as assets.
    function maxWithdraw(address owner) external view returns (uint256 assets);
    /// @notice Always reverts (ERC-7540): a later post gives the price.
    function previewDeposit(uint256 assets) external view returns (uint256 shares);
    /// @notice Always reverts.
    function previewMint(uint256 shares) external view returns (uint256 assets);
    /// @notice Always reverts.
    function previewRedeem(uint256 shares) external view returns (uint256 assets);
    /// @notice Always reverts.
    function previewWithdraw(uint256 assets) external view returns (uint256 shares);
}
