// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {IFundVaultEvents} from "./IFundVaultEvents.sol";

/// @title VaultAccess
/// @notice Who may do what, and whether the vault is closed, frozen or paused.
abstract contract VaultAccess is IFundVaultEvents, AccessControl, Pausable {
    /// @notice May move idle units to the custodian, deliver units to redeemers and declare dividends.
    bytes32 public constant MANAGER_ROLE = keccak256("MANAGER_ROLE");
    /// @notice May settle.
    bytes32 public constant KEEPER_ROLE = keccak256("KEEPER_ROLE");
    /// @notice May pause and freeze; never the reverse.
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");
    /// @notice May resume, and reject the requests of an overdue epoch.
    bytes32 public constant RISK_ROLE = keccak256("RISK_ROLE");

    bool internal _frozen;
    bool internal _closed = true;

    /// @dev Neither closed, nor frozen, nor paused.
    modifier whenOperating() {
        _requireOperating();
        _;
    }

    function _requireOperating() internal view {
        if (_closed) revert VaultIsClosed();
        _requireRunning();
    }

    /// @dev Neither frozen nor paused.
    function _requireRunning() internal view {
        if (_frozen) revert VaultIsFrozen();
        _requireNotPaused();
    }

    /// @dev A stolen keeper key must not be able to resume, nor to change what bounds it.
    function _grantRole(bytes32 role, address account) internal override returns (bool) {
        bool joined = role == KEEPER_ROLE
            ? hasRole(RISK_ROLE, account) || hasRole(DEFAULT_ADMIN_ROLE, account)
            : (role == RISK_ROLE || role == DEFAULT_ADMIN_ROLE) && hasRole(KEEPER_ROLE, account);
        if (joined) revert BadRoles(account, role);
        return super._grantRole(role, account);
    }

    /// @dev The vault must not lose its last admin by a slip: another admin has to take the role away.
    function _revokeRole(bytes32 role, address account) internal override returns (bool) {
        if (role == DEFAULT_ADMIN_ROLE && account == msg.sender) revert BadRoles(account, role);
        return super._revokeRole(role, account);
    }
}
