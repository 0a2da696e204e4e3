// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {LagoonSilo} from "./LagoonLayout.sol";
import {LagoonGuardrails} from "./LagoonGuardrails.sol";
import {LagoonRequests} from "./LagoonRequests.sol";

/// @title LagoonVault
/// @notice A double of Lagoon's vault v0.6.0: the valuation manager proposes total assets, and its Safe settles with
/// the same number, which takes the fees and then the requests that waited when it was proposed.
/// @dev Behaviour from hopperlabsxyz/lagoon-v0 src/v0.6.0/vault/Vault-v0.6.0.sol, without its proxy and its closing.
contract LagoonVault is LagoonRequests, LagoonGuardrails, Ownable {
    using Math for uint256;

    uint8 private constant SHARE_DECIMALS = 18;

    struct Init {
        IERC20Metadata underlying;
        string name;
        string symbol;
        address safe;
        address valuationManager;
        address admin;
        address feeReceiver;
        address securityCouncil;
        Rates rates;
        uint256 initialTotalAssets;
        bool allowHighWaterMarkReset;
    }

    event NewTotalAssetsUpdated(uint256 totalAssets);
    event TotalAssetsUpdated(uint256 totalAssets);
    event TotalAssetsExpirationUpdated(uint128 oldExpiration, uint128 newExpiration);
    event TotalAssetsLifespanUpdated(uint128 oldLifespan, uint128 newLifespan);
    event StateUpdated(State state);
    event RatesUpdated(Rates oldRates, Rates newRate, uint256 timestamp);

    error Closed();
    error GuardrailsViolation();
    error NewTotalAssetsMissing();
    error ValuationUpdateNotAllowed();
    error WrongNewTotalAssets();

    constructor(Init memory init) ERC20(init.name, init.symbol) ERC4626(init.underlying) Ownable(init.admin) {
        (_roles().safe, _roles().feeReceiver, _roles().feeRegistry) = (init.safe, init.feeReceiver, address(this));
        (_roles().valuationManager, _roles().securityCouncil) = (init.valuationManager, init.securityCouncil);
        Account storage account = _account();
        (account.depositEpochId, account.redeemEpochId) = (1, 2);
        (account.depositSettleId, account.redeemSettleId) = (1, 2);
        account.newTotalAssets = NO_VALUATION;
        account.maxCap = type(uint256).max;
        account.pendingSilo = address(new LagoonSilo(init.underlying));
        uint8 decimals_ = init.underlying.decimals();
        account.decimals = decimals_ < SHARE_DECIMALS ? SHARE_DECIMALS : decimals_;
        account.decimalsOffset = account.decimals - decimals_;
        _fees().rates = init.rates;
        _fees().feeRegistry = address(this);
        _fees().highWaterMark = 10 ** decimals_;
        _fees().lastFeeTime = block.timestamp;
        _fees().allowHighWaterMarkReset = init.allowHighWaterMarkReset;
        if (init.initialTotalAssets != 0) {
            _mint(init.safe, convertToShares(init.initialTotalAssets));
            account.totalAssets = init.initialTotalAssets;
        }
        emit StateUpdated(State.Open);
    }

    /// @notice Proposes total assets (raw units, the silo's left out), within the guardrails since the last settlement.
    function updateNewTotalAssets(uint256 newTotalAssets) external onlyValuationManager {
        _requireValuable();
        uint256 next = _oneShare().mulDiv(newTotalAssets + 1, totalSupply() + 10 ** _decimalsOffset());
        uint256 lastFeeTime = _fees().lastFeeTime;
        if (lastFeeTime != 0 && !isCompliant(convertToAssets(_oneShare()), next, block.timestamp - lastFeeTime)) {
            revert GuardrailsViolation();
        }
        _propose(newTotalAssets);
    }

    /// @notice Proposes total assets without the guardrails.
    function securityCouncilUpdateTotalAssets(uint256 newTotalAssets) external onlySecurityCouncil {
        _requireValuable();
        _propose(newTotalAssets);
    }

    /// @notice Settles with the number proposed last: fees, then deposits, then redemptions as far as the Safe can pay.
    function settleDeposit(uint256 newTotalAssets) external onlySafe onlyOpen {
        _value(newTotalAssets, _account().depositSettleId);
        _settleDeposits(msg.sender);
        _settleRedemptions(msg.sender);
    }

    /// @notice Settles with the number proposed last: fees, then redemptions as far as the Safe can pay.
    function settleRedeem(uint256 newTotalAssets) external onlySafe onlyOpen {
        _value(newTotalAssets, _account().redeemSettleId);
        _settleRedemptions(msg.sender);
    }

    /// @notice Ends the last valuation's life, so that another may be proposed.
    function expireTotalAssets() external onlySafe {
        emit TotalAssetsExpirationUpdated(_account().totalAssetsExpiration, 0);
        _account().totalAssetsExpiration = 0;
    }

    /// @notice Sets for how many seconds a settled valuation counts.
    function updateTotalAssetsLifespan(uint128 lifespan) external onlySafe {
        emit TotalAssetsLifespanUpdated(_account().totalAssetsLifespan, lifespan);
        _account().totalAssetsLifespan = lifespan;
    }

    /// @notice Sets the fees from now on, without the limits that the peer has for them.
    function updateRates(Rates calldata next) external onlyOwner {
        emit RatesUpdated(_fees().rates, next, block.timestamp);
        _fees().rates = next;
    }

    /// @notice Puts the vault into a state; the peer closes by a settlement of its own.
    function setState(uint8 next) external onlyOwner {
        _state().state = State(next);
        emit StateUpdated(State(next));
    }

    /// @notice Stops valuations, settlements, requests and transfers.
    function pause() external onlyOwner {
        _pause();
    }

    /// @notice Ends the pause.
    function unpause() external onlyOwner {
        _unpause();
    }

    function safe() external view returns (address) {
        return _roles().safe;
    }

    function version() external pure returns (string memory) {
        return "v0.6.0";
    }

    function totalAssets() public view override returns (uint256) {
        return _account().totalAssets;
    }

    function _decimalsOffset() internal view override returns (uint8) {
        return _account().decimalsOffset;
    }

    function _update(address from, address to, uint256 value) internal override whenNotPaused {
        super._update(from, to, value);
    }

    function _requireValuable() private view {
        if (_state().state == State.Closed) revert Closed();
        if (isTotalAssetsValid()) revert ValuationUpdateNotAllowed();
    }

    function _propose(uint256 newTotalAssets) private whenNotPaused {
        _closeEpochs();
        _account().newTotalAssets = newTotalAssets;
        emit NewTotalAssetsUpdated(newTotalAssets);
    }

    function _value(uint256 newTotalAssets, uint40 contextId) private whenNotPaused {
        Account storage account = _account();
        if (account.newTotalAssets == NO_VALUATION) revert NewTotalAssetsMissing();
        if (account.newTotalAssets != newTotalAssets) revert WrongNewTotalAssets();
        uint256 previous = account.totalAssets;
        account.totalAssets = newTotalAssets;
        account.newTotalAssets = NO_VALUATION;
        uint128 expiration = uint128(block.timestamp) + account.totalAssetsLifespan;
        emit TotalAssetsExpirationUpdated(account.totalAssetsExpiration, expiration);
        account.totalAssetsExpiration = expiration;
        emit TotalAssetsUpdated(newTotalAssets);
        _takeManagementAndPerformanceFees(contextId, previous);
    }
}
