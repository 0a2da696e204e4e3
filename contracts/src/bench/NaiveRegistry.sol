// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title NaiveRegistry
/// @notice The yardstick of the gas bench: the same guards and the same data, written the plain way.
contract NaiveRegistry is AccessControl, Pausable {
    struct Nav {
        uint256 nav;
        uint256 pps;
        uint64 valuationTs;
        int64 dayDriftTenthBps;
        uint8 confidence;
        bool live;
        bool held;
        bool estimated;
    }

    struct Post {
        bytes32 fundId;
        uint256 nav;
        uint256 pps;
        uint8 confidence;
        bool estimated;
        uint256[5] components;
    }

    /// @notice May post.
    bytes32 public constant POSTER_ROLE = keccak256("POSTER_ROLE");
    /// @notice Bound of one step up, in bps.
    int256 public constant UP_BPS = 1000;
    /// @notice Bound of one step down, in bps.
    int256 public constant DOWN_BPS = 1000;
    /// @notice Bound of a UTC day's signed sum of steps, in bps.
    int256 public constant DAY_BPS = 2500;
    /// @notice Seconds between valuations.
    uint256 public constant MIN_INTERVAL = 60;
    /// @notice Oldest valuation that can be posted, in seconds.
    uint256 public constant MAX_POST_AGE = 900;

    /// @notice The served value of a fund.
    mapping(bytes32 fundId => Nav) public navs;

    /// @notice A fund was posted.
    event NavPosted(
        bytes32 indexed fundId,
        uint256 nav,
        uint256 pps,
        uint64 valuationTs,
        uint8 confidence,
        bool estimated,
        uint256[5] components
    );
    /// @notice A fund was held for a price outside its bounds.
    event NavHeld(bytes32 indexed fundId, uint256 pps);

    /// @notice The valuation time is in the future or too old.
    error BadTime();
    /// @notice The fund is not live, or its valuation comes too early.
    error BadFund(bytes32 fundId);

    constructor(address admin, address poster) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(POSTER_ROLE, poster);
    }

    /// @notice Gives a fund its first value.
    function register(bytes32 fundId, uint256 nav, uint256 pps, uint64 valuationTs)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        navs[fundId] = Nav(nav, pps, valuationTs, 0, 0, true, false, true);
    }

    /// @notice Stops or resumes posting.
    function setPaused(bool paused_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (paused_) _pause();
        else _unpause();
    }

    /// @notice Posts a batch; a fund whose price leaves its bounds is held.
    function post(uint64 valuationTs, Post[] calldata posts) external onlyRole(POSTER_ROLE) whenNotPaused {
        if (valuationTs > block.timestamp || valuationTs + MAX_POST_AGE < block.timestamp) revert BadTime();
        for (uint256 i = 0; i < posts.length; i++) {
            _post(valuationTs, posts[i]);
        }
    }

    function _post(uint64 valuationTs, Post calldata posted) private {
        Nav storage current = navs[posted.fundId];
        if (!current.live || valuationTs < current.valuationTs + MIN_INTERVAL) revert BadFund(posted.fundId);
        (int256 step, int256 drift) = _steps(current, posted.pps, valuationTs);
        if (
            current.held || posted.pps == 0 || step > UP_BPS * 10 || step < -DOWN_BPS * 10 || drift > DAY_BPS * 10
                || drift < -DAY_BPS * 10
        ) {
            current.held = true;
            emit NavHeld(posted.fundId, posted.pps);
            return;
        }
        current.nav = posted.nav;
        current.pps = posted.pps;
        current.valuationTs = valuationTs;
        current.dayDriftTenthBps = int64(drift);
        current.confidence = posted.confidence;
        current.estimated = posted.estimated;
        emit NavPosted(
            posted.fundId, posted.nav, posted.pps, valuationTs, posted.confidence, posted.estimated, posted.components
        );
    }

    function _steps(Nav storage current, uint256 pps, uint64 valuationTs)
        private
        view
        returns (int256 step, int256 drift)
    {
        uint256 served = current.pps;
        uint256 change = pps > served ? pps - served : served - pps;
        uint256 size = (change * 100_000 + served - 1) / served;
        step = pps > served ? int256(size) : -int256(size);
        bool sameDay = current.valuationTs / 1 days == valuationTs / 1 days;
        drift = sameDay ? current.dayDriftTenthBps + step : step;
    }
}
