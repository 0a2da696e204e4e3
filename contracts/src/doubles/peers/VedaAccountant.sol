// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Token} from "../Token.sol";

/// @title VedaAccountant
/// @notice A double of Veda's AccountantWithRateProviders: its rate guard, its pause and its fee accrual.
/// @dev Behaviour from Veda-Labs/boring-vault src/base/Roles/AccountantWithRateProviders.sol. Not here: quotes in other
/// assets, and `claimFees`, which only the vault itself may call. The double is its own authority: `setCanCall` stands
/// for what a RolesAuthority grants. Every division rounds down, as the peer's do.
contract VedaAccountant {
    uint256 private constant BPS = 10_000;
    uint256 private constant YEAR = 365 days;
    uint24 private constant MAX_DELAY = 14 days;
    uint16 private constant MAX_PLATFORM_FEE = 2_000;
    uint16 private constant MAX_PERFORMANCE_FEE = 5_000;

    /// @notice Rates are raw units of the base asset for one share; bounds and fees are basis points.
    struct AccountantState {
        address payoutAddress;
        uint96 highwaterMark;
        uint128 feesOwedInBase;
        uint128 totalSharesLastUpdate;
        uint96 exchangeRate;
        uint16 allowedExchangeRateChangeUpper;
        uint16 allowedExchangeRateChangeLower;
        uint64 lastUpdateTimestamp;
        bool isPaused;
        uint24 minimumUpdateDelayInSeconds;
        uint16 platformFee;
        uint16 performanceFee;
    }

    /// @notice All that the accountant knows, as one tuple.
    AccountantState public accountantState;
    /// @notice May call everything.
    address public owner;
    /// @notice Who else may call what; the peer asks its `authority` the same question.
    mapping(address user => mapping(address target => mapping(bytes4 selector => bool))) public canCall;
    /// @notice The asset that the rate is quoted in.
    Token public immutable base;
    /// @notice Decimals of the rate.
    uint8 public immutable decimals;
    /// @notice The share token; its supply is what fees are charged on.
    Token public immutable vault;
    uint256 private immutable oneShare;

    event Paused();
    event Unpaused();
    event DelayInSecondsUpdated(uint24 oldDelay, uint24 newDelay);
    event UpperBoundUpdated(uint16 oldBound, uint16 newBound);
    event LowerBoundUpdated(uint16 oldBound, uint16 newBound);
    event PlatformFeeUpdated(uint16 oldFee, uint16 newFee);
    event PerformanceFeeUpdated(uint16 oldFee, uint16 newFee);
    event ExchangeRateUpdated(uint96 oldRate, uint96 newRate, uint64 currentTime);
    event HighwaterMarkReset();

    error AccountantWithRateProviders__UpperBoundTooSmall();
    error AccountantWithRateProviders__LowerBoundTooLarge();
    error AccountantWithRateProviders__PlatformFeeTooLarge();
    error AccountantWithRateProviders__PerformanceFeeTooLarge();
    error AccountantWithRateProviders__Paused();
    error AccountantWithRateProviders__UpdateDelayTooLarge();
    error AccountantWithRateProviders__ExchangeRateAboveHighwaterMark();

    modifier requiresAuth() {
        require(msg.sender == owner || canCall[msg.sender][address(this)][msg.sig], "UNAUTHORIZED");
        _;
    }

    /// @dev The peer's own arguments in its order.
    constructor(
        address owner_,
        Token vault_,
        address payoutAddress,
        uint96 startingExchangeRate,
        Token base_,
        uint16 upper,
        uint16 lower,
        uint24 minimumUpdateDelayInSeconds,
        uint16 platformFee,
        uint16 performanceFee
    ) {
        owner = owner_;
        vault = vault_;
        base = base_;
        decimals = base_.decimals();
        oneShare = 10 ** vault_.decimals();
        AccountantState storage state = accountantState;
        state.payoutAddress = payoutAddress;
        state.highwaterMark = startingExchangeRate;
        state.exchangeRate = startingExchangeRate;
        state.allowedExchangeRateChangeUpper = upper;
        state.allowedExchangeRateChangeLower = lower;
        state.minimumUpdateDelayInSeconds = minimumUpdateDelayInSeconds;
        state.platformFee = platformFee;
        state.performanceFee = performanceFee;
        _stamp();
    }

    /// @notice Where `canCall` is answered.
    function authority() external view returns (address) {
        return address(this);
    }

    /// @notice Grants or takes back a right to call one function of this contract.
    function setCanCall(address user, bytes4 selector, bool allowed) external requiresAuth {
        canCall[user][address(this)][selector] = allowed;
    }

    /// @notice Stores a rate. One that is out of bounds or too early is stored all the same: it pauses the accountant,
    /// without an event of its own, and is charged no fee.
    function updateExchangeRate(uint96 newExchangeRate) external requiresAuth {
        AccountantState storage state = accountantState;
        uint96 oldRate = state.exchangeRate;
        if (_willPause(newExchangeRate)) {
            state.isPaused = true;
        } else {
            state.feesOwedInBase += uint128(_newFees(newExchangeRate));
            if (newExchangeRate > state.highwaterMark) state.highwaterMark = newExchangeRate;
        }
        state.exchangeRate = newExchangeRate;
        _stamp();
        emit ExchangeRateUpdated(oldRate, newExchangeRate, uint64(block.timestamp));
    }

    /// @notice What `updateExchangeRate` would do now; fees in raw units of the base asset.
    function previewUpdateExchangeRate(uint96 newExchangeRate)
        external
        view
        returns (bool updateWillPause, uint256 newFeesOwedInBase, uint256 totalFeesOwedInBase)
    {
        updateWillPause = _willPause(newExchangeRate);
        if (!updateWillPause) newFeesOwedInBase = _newFees(newExchangeRate);
        totalFeesOwedInBase = accountantState.feesOwedInBase + newFeesOwedInBase;
    }

    /// @notice The stored rate, whether paused or not.
    function getRate() public view returns (uint256) {
        return accountantState.exchangeRate;
    }

    /// @notice The stored rate; reverts while paused.
    function getRateSafe() external view returns (uint256) {
        _requireNotPaused();
        return getRate();
    }

    /// @notice Stops posts and `getRateSafe`; unlike an update out of bounds it says so.
    function pause() external requiresAuth {
        accountantState.isPaused = true;
        emit Paused();
    }

    /// @notice Lets posts and `getRateSafe` go on, with whatever rate is stored.
    function unpause() external requiresAuth {
        accountantState.isPaused = false;
        emit Unpaused();
    }

    /// @notice Sets the seconds that must lie between two rates; 14 days at most.
    function updateDelay(uint24 delay) external requiresAuth {
        if (delay > MAX_DELAY) revert AccountantWithRateProviders__UpdateDelayTooLarge();
        emit DelayInSecondsUpdated(accountantState.minimumUpdateDelayInSeconds, delay);
        accountantState.minimumUpdateDelayInSeconds = delay;
    }

    /// @notice Sets the highest next rate, in basis points of the stored one; 10,000 at least.
    function updateUpper(uint16 bound) external requiresAuth {
        if (bound < BPS) revert AccountantWithRateProviders__UpperBoundTooSmall();
        emit UpperBoundUpdated(accountantState.allowedExchangeRateChangeUpper, bound);
        accountantState.allowedExchangeRateChangeUpper = bound;
    }

    /// @notice Sets the lowest next rate, in basis points of the stored one; 10,000 at most.
    function updateLower(uint16 bound) external requiresAuth {
        if (bound > BPS) revert AccountantWithRateProviders__LowerBoundTooLarge();
        emit LowerBoundUpdated(accountantState.allowedExchangeRateChangeLower, bound);
        accountantState.allowedExchangeRateChangeLower = bound;
    }

    /// @notice Sets the fee on assets, in basis points a year; 2,000 at most.
    function updatePlatformFee(uint16 fee) external requiresAuth {
        if (fee > MAX_PLATFORM_FEE) revert AccountantWithRateProviders__PlatformFeeTooLarge();
        emit PlatformFeeUpdated(accountantState.platformFee, fee);
        accountantState.platformFee = fee;
    }

    /// @notice Sets the fee on gains above the high-water mark, in basis points; 5,000 at most.
    function updatePerformanceFee(uint16 fee) external requiresAuth {
        if (fee > MAX_PERFORMANCE_FEE) revert AccountantWithRateProviders__PerformanceFeeTooLarge();
        emit PerformanceFeeUpdated(accountantState.performanceFee, fee);
        accountantState.performanceFee = fee;
    }

    /// @notice Lowers the high-water mark to the rate, after charging the platform fee up to now.
    function resetHighwaterMark() external requiresAuth {
        AccountantState storage state = accountantState;
        uint96 rate = state.exchangeRate;
        if (rate > state.highwaterMark) revert AccountantWithRateProviders__ExchangeRateAboveHighwaterMark();
        state.feesOwedInBase += uint128(_newFees(rate));
        state.highwaterMark = rate;
        _stamp();
        emit HighwaterMarkReset();
    }

    /// @dev Whether the guard would be tripped: bounds are inclusive and relative to the last stored rate, right or
    /// wrong.
    function _willPause(uint256 rate) private view returns (bool) {
        _requireNotPaused();
        AccountantState storage state = accountantState;
        uint256 last = state.exchangeRate;
        return block.timestamp < state.lastUpdateTimestamp + state.minimumUpdateDelayInSeconds
            || rate > last * state.allowedExchangeRateChangeUpper / BPS
            || rate < last * state.allowedExchangeRateChangeLower / BPS;
    }

    /// @dev Platform and performance fee since the last update, on the smaller of the two supplies.
    function _newFees(uint256 rate) private view returns (uint256 fees) {
        AccountantState storage state = accountantState;
        uint256 shares = _least(vault.totalSupply(), state.totalSharesLastUpdate);
        uint256 annual = shares * _least(rate, state.exchangeRate) / oneShare * state.platformFee / BPS;
        fees = annual * (block.timestamp - state.lastUpdateTimestamp) / YEAR;
        if (rate > state.highwaterMark) {
            fees += (rate - state.highwaterMark) * shares / oneShare * state.performanceFee / BPS;
        }
    }

    function _stamp() private {
        accountantState.totalSharesLastUpdate = uint128(vault.totalSupply());
        accountantState.lastUpdateTimestamp = uint64(block.timestamp);
    }

    function _requireNotPaused() private view {
        if (accountantState.isPaused) revert AccountantWithRateProviders__Paused();
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
