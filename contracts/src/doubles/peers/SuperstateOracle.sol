// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title SuperstateOracle
/// @notice A double of Superstate's oracle: net asset values per share at checkpoints, extrapolated in a straight line.
/// @dev Behaviour from superstateinc/onchain-redemptions src/oracle/SuperstateOracle.sol. Values have six decimals.
contract SuperstateOracle is Ownable2Step {
    struct NavsCheckpoint {
        uint64 timestamp;
        uint64 effectiveAt;
        uint128 navs;
    }

    uint8 public constant DECIMALS = 6;
    uint8 public constant VERSION = 1;
    uint256 public constant CHECKPOINT_EXPIRATION_PERIOD = 5 days;

    /// @notice The token that is priced.
    address public immutable USTB_TOKEN_PROXY_ADDRESS;
    /// @notice How far a checkpoint may lie from the one before; an absolute amount, whatever the price.
    uint256 public maximumAcceptablePriceDelta;
    NavsCheckpoint[] public checkpoints;

    event NewCheckpoint(uint64 timestamp, uint64 effectiveAt, uint128 navs);
    event SetMaximumAcceptablePriceDelta(uint256 oldDelta, uint256 newDelta);

    error BadArgs();
    error CantGeneratePrice();
    error EffectiveAtInvalid();
    error EffectiveAtNotChronological();
    error ExistingPendingEffectiveAt();
    error NetAssetValuePerShareTooLow();
    error NetAssetValuePerShareTooHigh();
    error NotImplemented();
    error StaleCheckpoint();
    error TimestampInvalid();
    error TimestampNotChronological();

    constructor(address initialOwner, address ustbTokenProxy, uint256 maximumDelta) Ownable(initialOwner) {
        USTB_TOKEN_PROXY_ADDRESS = ustbTokenProxy;
        _setDelta(maximumDelta);
    }

    /// @notice Moves the bound; the owner, who also posts, may do so at any time.
    function setMaximumAcceptablePriceDelta(uint256 delta) external onlyOwner {
        _setDelta(delta);
    }

    /// @notice Adds a value computed at `timestamp`, in the past, that prices from `effectiveAt`, now or later.
    function addCheckpoint(uint64 timestamp, uint64 effectiveAt, uint128 navs, bool shouldOverrideEffectiveAt)
        external
        onlyOwner
    {
        _add(NavsCheckpoint(timestamp, effectiveAt, navs), shouldOverrideEffectiveAt);
    }

    /// @notice Adds several values; one that waits to take effect does not stop the next.
    function addCheckpoints(NavsCheckpoint[] calldata added) external onlyOwner {
        for (uint256 i; i < added.length; ++i) {
            _add(added[i], true);
        }
    }

    function decimals() external pure returns (uint8) {
        return DECIMALS;
    }

    function description() external pure returns (string memory) {
        return "Realtime USTB Net Asset Value per Share (NAV/S) Oracle";
    }

    function version() external pure returns (uint256) {
        return VERSION;
    }

    function getRoundData(uint80) external pure returns (uint80, int256, uint256, uint256, uint80) {
        revert NotImplemented();
    }

    /// @notice The value now. Both times are the block's, however old the checkpoints are, up to five days.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        uint256 index = checkpoints.length;
        // Two checkpoints in effect are needed to draw a line.
        do {
            if (index < 2) revert CantGeneratePrice();
        } while (checkpoints[--index].effectiveAt > block.timestamp);
        NavsCheckpoint memory later = checkpoints[index];
        NavsCheckpoint memory earlier = checkpoints[index - 1];
        if (block.timestamp > later.effectiveAt + CHECKPOINT_EXPIRATION_PERIOD) revert StaleCheckpoint();
        uint128 navs = calculateRealtimeNavs(
            uint128(block.timestamp), earlier.navs, earlier.timestamp, later.navs, later.timestamp
        );
        return (uint80(index), int256(uint256(navs)), block.timestamp, block.timestamp, uint80(index));
    }

    /// @notice The value on the line through two checkpoints; the change since the later one rounds toward zero.
    function calculateRealtimeNavs(
        uint128 targetTimestamp,
        uint128 earlierNavs,
        uint128 earlierTimestamp,
        uint128 laterNavs,
        uint128 laterTimestamp
    ) public pure returns (uint128) {
        bool falling = laterNavs < earlierNavs;
        uint128 step = falling ? earlierNavs - laterNavs : laterNavs - earlierNavs;
        uint128 change = step * (targetTimestamp - laterTimestamp) / (laterTimestamp - earlierTimestamp);
        return falling ? laterNavs - change : laterNavs + change;
    }

    function _add(NavsCheckpoint memory added, bool overridePending) private {
        if (added.timestamp >= block.timestamp) revert TimestampInvalid();
        if (added.effectiveAt < block.timestamp) revert EffectiveAtInvalid();
        uint256 count = checkpoints.length;
        if (count != 0) {
            NavsCheckpoint memory last = checkpoints[count - 1];
            if (added.navs > last.navs + maximumAcceptablePriceDelta) revert NetAssetValuePerShareTooHigh();
            // As at the peer, a bound above the value itself panics here.
            if (added.navs < last.navs - maximumAcceptablePriceDelta) revert NetAssetValuePerShareTooLow();
            if (added.timestamp <= last.timestamp) revert TimestampNotChronological();
            if (added.effectiveAt <= last.effectiveAt) revert EffectiveAtNotChronological();
            bool pending = count > 1 && last.effectiveAt > block.timestamp;
            if (pending && !overridePending) revert ExistingPendingEffectiveAt();
        }
        checkpoints.push(added);
        emit NewCheckpoint(added.timestamp, added.effectiveAt, added.navs);
    }

    function _setDelta(uint256 delta) private {
        if (delta == maximumAcceptablePriceDelta) revert BadArgs();
        emit SetMaximumAcceptablePriceDelta(maximumAcceptablePriceDelta, delta);
        maximumAcceptablePriceDelta = delta;
    }
}
