// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @dev Where a Lagoon vault keeps requests that wait for a settlement.
contract LagoonSilo {
    constructor(IERC20 asset) {
        asset.approve(msg.sender, type(uint256).max);
    }
}

/// @title LagoonLayout
/// @notice What a Lagoon vault stores, and where. The peer has no view of most of it, so that readers look at the
/// slots: the double keeps every field in the peer's own place.
/// @dev Layout from hopperlabsxyz/lagoon-v0 src/v0.6.0. Each slot is ERC-7201's for the name beside it.
abstract contract LagoonLayout {
    /// @dev "hopper.storage.ERC7540"
    bytes32 private constant ACCOUNT_SLOT = 0x5c74d456014b1c0eb4368d944667a568313858a3029a650ff0cb7b56f8b57a00;
    /// @dev "hopper.storage.FeeManager"
    bytes32 private constant FEES_SLOT = 0xa5292f7ccd85acc1b3080c01f5da9af7799f2c26826bd4d79081d6511780bd00;
    /// @dev "hopper.storage.GuardrailsManager"
    bytes32 private constant GUARDRAILS_SLOT = 0xd851cf94ad565ef91472fd51daf3f5f2311d4c6801bf4d880e94a7f28b854800;
    /// @dev "hopper.storage.Roles"
    bytes32 private constant ROLES_SLOT = 0x7c302ed2c673c3d6b4551cf74a01ee649f887e14fd20d13dbca1b6099534d900;
    /// @dev "hopper.storage.vault"
    bytes32 private constant STATE_SLOT = 0x0e6b3200a60a991c539f47dddaca04a18eb4bcf2b53906fb44751d827f001400;
    /// @dev What `newTotalAssets` holds while no valuation waits for its settlement.
    uint256 internal constant NO_VALUATION = type(uint256).max;

    enum State {
        Open,
        Closing,
        Closed
    }

    enum FeeType {
        Management,
        Performance,
        Entry,
        Exit
    }

    enum SyncMode {
        Both,
        SyncDeposit,
        SyncRedeem,
        None
    }

    /// @notice Basis points; the management rate is a year's.
    struct Rates {
        uint16 managementRate;
        uint16 performanceRate;
        uint16 entryRate;
        uint16 exitRate;
        uint16 haircutRate;
    }

    /// @notice A year's change of the price per share; 1e18 is 100 %, whatever the peer's comment says of basis points.
    struct Guardrails {
        uint256 upperRate;
        int256 lowerRate;
    }

    struct Epoch {
        uint40 settleId;
        mapping(address => uint256) depositRequest;
        mapping(address => uint256) redeemRequest;
    }

    struct Settlement {
        uint256 totalSupply;
        uint256 totalAssets;
        uint256 pendingAssets;
        uint256 pendingShares;
        uint16 entryFeeRate;
        uint16 exitFeeRate;
    }

    struct Account {
        uint256 totalAssets;
        uint256 newTotalAssets;
        uint40 depositEpochId;
        uint40 depositSettleId;
        uint40 lastDepositEpochIdSettled;
        uint40 redeemEpochId;
        uint40 redeemSettleId;
        uint40 lastRedeemEpochIdSettled;
        mapping(uint40 => Epoch) epochs;
        mapping(uint40 => Settlement) settles;
        mapping(address => uint40) lastDepositRequestId;
        mapping(address => uint40) lastRedeemRequestId;
        mapping(address => mapping(address => bool)) isOperator;
        address pendingSilo;
        address wrappedNativeToken;
        uint8 decimals;
        uint8 decimalsOffset;
        uint128 totalAssetsExpiration;
        uint128 totalAssetsLifespan;
        uint256 maxCap;
        SyncMode syncMode;
        bool isAsyncOnly;
    }

    struct Fees {
        address feeRegistry;
        uint256 newRatesTimestamp;
        uint256 lastFeeTime;
        uint256 highWaterMark;
        uint256 cooldown;
        Rates rates;
        Rates oldRates;
        bool allowHighWaterMarkReset;
    }

    struct GuardrailsBox {
        Guardrails guardrails;
        bool activated;
    }

    struct RolesStorage {
        address whitelistManager;
        address feeReceiver;
        address safe;
        address feeRegistry;
        address valuationManager;
        address securityCouncil;
        address superOperator;
    }

    struct StateBox {
        State state;
    }

    error OnlySafe(address safe);
    error OnlyValuationManager(address valuationManager);
    error OnlySecurityCouncil(address securityCouncil);

    modifier onlySafe() {
        if (msg.sender != _roles().safe) revert OnlySafe(_roles().safe);
        _;
    }

    modifier onlyValuationManager() {
        if (msg.sender != _roles().valuationManager) revert OnlyValuationManager(_roles().valuationManager);
        _;
    }

    modifier onlySecurityCouncil() {
        if (msg.sender != _roles().securityCouncil) revert OnlySecurityCouncil(_roles().securityCouncil);
        _;
    }

    /// @notice Who may do what.
    function getRolesStorage() external pure returns (RolesStorage memory) {
        return _roles();
    }

    function _account() internal pure returns (Account storage found) {
        assembly ("memory-safe") {
            found.slot := ACCOUNT_SLOT
        }
    }

    function _fees() internal pure returns (Fees storage found) {
        assembly ("memory-safe") {
            found.slot := FEES_SLOT
        }
    }

    function _guardrails() internal pure returns (GuardrailsBox storage found) {
        assembly ("memory-safe") {
            found.slot := GUARDRAILS_SLOT
        }
    }

    function _roles() internal pure returns (RolesStorage storage found) {
        assembly ("memory-safe") {
            found.slot := ROLES_SLOT
        }
    }

    function _state() internal pure returns (StateBox storage found) {
        assembly ("memory-safe") {
            found.slot := STATE_SLOT
        }
    }
}
