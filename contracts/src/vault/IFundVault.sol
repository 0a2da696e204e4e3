// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFundVaultCore} from "./IFundVaultCore.sol";
import {IFundVaultExtension} from "./IFundVaultExtension.sol";

/// @title IFundVault
/// @notice A fund whose value lies elsewhere and is posted to a NavRegistry: shares are minted and burned only when an
/// epoch is settled, at a price valued after every request of it was made.
/// @dev The life of a request: it joins the open epoch (the requestId); at `closesAt` no more can join; the keeper
/// posts a NAV valued at or after that time; `settle` fixes what every request of the epoch gets; the requester claims
/// it when he likes, whatever state the vault and the registry are in by then.
///
/// The posted pps is NAV_before / shares outstanding, rounded down, net of accrued fees; the posted nav is NAV_after:
/// with the assets queued in the current epoch (not in the next), likewise net of fees. Both count idle units and units
/// delivered to the current epoch, and neither counts claimable pools or dividends, which are no longer the fund's.
///
/// Only the vault's own accounts count, never a balance: a donation changes no figure and can be swept to the
/// custodian.
///
/// Roles: DEFAULT_ADMIN sets and opens and closes; MANAGER moves idle units, delivers to redeemers and declares
/// dividends; KEEPER settles; GUARDIAN pauses and freezes; RISK resumes and rejects. KEEPER is never joined with RISK
/// or DEFAULT_ADMIN.
interface IFundVault is IFundVaultCore, IFundVaultExtension {}
