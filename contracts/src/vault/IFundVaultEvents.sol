// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FeeTerms, Limits} from "./VaultTypes.sol";

/// @title IFundVaultEvents
/// @notice What the vault tells and why it refuses. From the events of a vault all its views can be rebuilt. Units as
/// in `VaultTypes.sol`.
interface IFundVaultEvents {
    // ---- requests and claims

    /// @notice Assets were queued (ERC-7540). `requestId` is the epoch.
    event DepositRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 assets
    );
    /// @notice Shares were put in escrow for redemption (ERC-7540). `requestId` is the epoch.
    event RedeemRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 shares
    );
    /// @notice An operator may act for a controller, or no longer (ERC-7540).
    event OperatorSet(address indexed controller, address indexed operator, bool approved);
    /// @notice Queued assets were given back.
    event DepositRequestCancelled(
        uint256 indexed epoch, address indexed controller, address indexed receiver, uint256 assets
    );
    /// @notice Shares in escrow were given back.
    event RedeemRequestCancelled(
        uint256 indexed epoch, address indexed controller, address indexed receiver, uint256 shares
    );
    /// @notice RISK took an overdue epoch's deposits or redemptions, or both, out of its settlement.
    event RequestsRejected(uint256 indexed epoch, bool deposits, bool redemptions);
    /// @notice Minted shares were handed out.
    event DepositClaimed(uint256 indexed epoch, address indexed controller, address indexed receiver, uint256 shares);
    /// @notice Units of a settled redemption were handed out.
    event RedemptionClaimed(
        uint256 indexed epoch, address indexed controller, address indexed receiver, address token, uint256 amount
    );

    // ---- settlement

    /// @notice An epoch was settled; `closesAt` is the next one's.
    event Settled(uint256 indexed epoch, uint256 indexed valuationTs, uint256 nav, uint256 pps, uint256 closesAt);
    /// @notice The components of the NAV that it was settled with, in the order of `settle`.
    event BreakdownSettled(uint256 indexed epoch, uint104[5] components);
    /// @notice Fees of a settlement, as values; `forgiven` is what the cap left out of the sum of the two.
    /// @param highWaterMark The mark after it.
    event FeesTaken(
        uint256 indexed epoch,
        uint256 management,
        uint256 performance,
        uint256 forgiven,
        uint256 feeShares,
        uint256 highWaterMark
    );
    /// @notice Deposits of an epoch: their assets, the value that shares were minted for, and the shares.
    event DepositsSettled(uint256 indexed epoch, uint256 assets, uint256 value, uint256 shares);
    /// @notice Redemptions of an epoch.
    /// @param shares Shares in escrow: burned ones and the withdrawal fee.
    /// @param feeShares Of these, shares that went to the fee recipient.
    /// @param part Value due for the burned shares.
    /// @param worth Value of the units that were delivered.
    event RedemptionsSettled(uint256 indexed epoch, uint256 shares, uint256 feeShares, uint256 part, uint256 worth);
    /// @notice What became of the units delivered in one token: paid to the epoch's redeemers, returned to idle.
    event DeliverySettled(uint256 indexed epoch, address indexed token, uint256 paid, uint256 returned);

    // ---- the fund's own units

    /// @notice Units were delivered to the current epoch, by the sender or from idle.
    event Delivered(uint256 indexed epoch, address indexed token, uint256 amount, bool fromIdle);
    /// @notice Delivered units went back to idle.
    event Recalled(uint256 indexed epoch, address indexed token, uint256 amount);
    /// @notice Idle units went to the custodian.
    event Deployed(address indexed token, address indexed custodian, uint256 amount);
    /// @notice Units that belong to no account of the vault went to the custodian.
    event Swept(address indexed token, address indexed custodian, uint256 amount);
    /// @notice A dividend was declared.
    /// @param perShareIndex Sum of dividends per share since the beginning, in assets scaled by 2^128.
    /// @param highWaterMark The mark after it.
    event DividendDeclared(uint256 assets, uint256 perShareIndex, uint256 highWaterMark);
    /// @notice Dividends were handed out.
    event DividendClaimed(address indexed account, address indexed receiver, uint256 assets);

    // ---- state and settings

    /// @notice The vault was opened or reopened: mark and fee clock start anew.
    event Opened(uint256 highWaterMark, uint256 feeClock, uint256 closesAt);
    /// @notice The vault was closed.
    event Closed();
    /// @notice A guardian froze the vault.
    event Frozen(address indexed by, string reason);
    /// @notice RISK ended the freeze.
    event Unfrozen(address indexed by);
    /// @notice The limits were set.
    event LimitsSet(Limits limits);
    /// @notice Fee terms that take effect after the next settlement.
    event FeeTermsScheduled(FeeTerms terms);
    /// @notice Fee terms took effect.
    event FeeTermsSet(FeeTerms terms);
    /// @notice The custodian was set.
    event CustodianSet(address indexed custodian);
    /// @notice The fee recipient was set.
    event FeeRecipientSet(address indexed feeRecipient);
    /// @notice The quoter was set.
    event QuoterSet(address indexed quoter);
    /// @notice A token may be delivered to redeemers, or no longer.
    event PayoutTokenSet(address indexed token, bool allowed);

    // ---- refusals

    /// @notice A setting lies outside its bounds.
    error BadSetting(bytes32 name, uint256 value);
    /// @notice An address that must be given is zero, or is the vault's own.
    error BadAddress(address given);
    /// @notice KEEPER together with RISK or DEFAULT_ADMIN, or an admin's own DEFAULT_ADMIN taken away.
    error BadRoles(address account, bytes32 role);
    /// @notice The registry knows the fund under another vault or asset, or not at all.
    error WrongFund(address vault, address base);
    /// @notice The registry's fund is closed or held.
    error FundNotServed(uint256 status);
    /// @notice A guardian froze the vault; RISK ends that.
    error VaultIsFrozen();
    /// @notice The vault is closed; ADMIN opens it.
    error VaultIsClosed();
    /// @notice The vault is open or, for `unfreeze`, not frozen.
    error NothingToDo();
    /// @notice Neither the account itself nor its operator.
    error NotOperator(address account, address caller);
    /// @notice An amount of zero.
    error ZeroAmount();
    /// @notice The deposit request is under the minimum.
    error DepositTooSmall(uint256 assets, uint256 minimum);
    /// @notice The epoch takes no more than `left` assets.
    error DepositCapReached(uint256 assets, uint256 left);
    /// @notice The token moved another amount than it was told.
    error WrongAmountReceived(address token, uint256 expected, uint256 received);
    /// @notice Requests can be cancelled while frozen, closed, rejected, or from `from` on.
    error NotCancellable(uint256 epoch, uint256 from);
    /// @notice There is no request, or it was cancelled or claimed, or it is not settled.
    error NothingToClaim(uint256 epoch, address controller);
    /// @notice The epoch is not the current one.
    error WrongEpoch(uint256 epoch, uint256 current);
    /// @notice The epoch can settle from `from` on.
    error TooEarly(uint256 timestamp, uint256 from);
    /// @notice The post was valued before the epoch closed, or not after the last dividend or opening.
    error PostTooOld(uint256 valuationTs, uint256 closesAt, uint256 newerThan);
    /// @notice The post's confidence is under the minimum (percent).
    error LowConfidence(uint256 confidence, uint256 minimum);
    /// @notice The share price is under the minimum (Wad).
    error SharePriceTooLow(uint256 pps, uint256 minimum);
    /// @notice Without shares outstanding the posted share price must be 1e18.
    error SharePriceNotPar(uint256 pps);
    /// @notice The components do not add up to the posted NAV.
    error WrongBreakdown(uint256 assets, uint256 liabilities, uint256 nav);
    /// @notice The posted NAV shows less of the queued deposits than the tolerance allows, or nothing (values).
    error DeltaTooSmall(uint256 delta, uint256 queued);
    /// @notice The delivered units are worth less than the tolerance allows (values).
    error DeliveryTooSmall(uint256 worth, uint256 part);
    /// @notice Less is there than the call would move.
    error NotEnough(address token, uint256 amount, uint256 available);
    /// @notice The token is not on the list of payout tokens, or on it already, or still in use, or the list is full.
    error BadPayoutToken(address token);
    /// @notice The dividend per share is not less than the high-water mark (Wad).
    error DividendTooLarge(uint256 perShare, uint256 highWaterMark);
    /// @notice Requests are priced by a later post: there is nothing to preview.
    error NoPreview();
}
