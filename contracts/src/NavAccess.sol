// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "./INavRegistry.sol";
import "./NavLayout.sol";

/// @title NavAccess
/// @notice Who may do what, the stop switch and the guard profiles.
abstract contract NavAccess is INavRegistry {
    /// @dev Slot 0: a post by the main poster on profile 0 learns all it needs from one storage read.
    uint256 internal control;
    /// @dev Bounds of profiles 1 to 63; index 0 stays empty, profile 0 is in `control`.
    uint256[PROFILE_COUNT] private profiles;
    mapping(address account => uint256 roles) private roleBits;

    /// @dev Seconds; a longer window would let a keeper choose among more past values.
    uint256 internal immutable _maxPostAge;

    constructor(address admin, address poster, uint256 maxPostAge, Bounds memory bounds) {
        if (maxPostAge == 0 || maxPostAge > SECONDS_MASK) revert BadBounds();
        _maxPostAge = maxPostAge;
        if (admin == address(0)) revert ZeroAddress();
        if (admin == poster) revert BadRoles(admin, ROLE_ADMIN | ROLE_POSTER);
        roleBits[admin] = ROLE_ADMIN;
        control = (uint256(uint160(poster)) << POSTER_SHIFT) | _pack(bounds);
        emit RoleSet(admin, ROLE_ADMIN);
        emit PosterSet(poster);
        emit ProfileSet(0, bounds);
    }

    modifier onlyRole(uint256 anyOf) {
        if (roleBits[msg.sender] & anyOf == 0) revert Unauthorized(msg.sender);
        _;
    }

    /// @inheritdoc INavRegistry
    function setPaused(bool paused_) external {
        uint256 needed = paused_ ? ROLE_GUARDIAN | ROLE_RISK : ROLE_RISK;
        if (roleBits[msg.sender] & needed == 0) revert Unauthorized(msg.sender);
        uint256 flag = FLAG_PAUSED << FLAGS_SHIFT;
        control = paused_ ? control | flag : control & ~flag;
        emit PausedSet(paused_, msg.sender);
    }

    /// @inheritdoc INavRegistry
    function setProfile(uint256 profile, Bounds calldata bounds) external onlyRole(ROLE_ADMIN) {
        if (profile >= PROFILE_COUNT) revert UnknownProfile(profile);
        uint256 word = _pack(bounds);
        if (profile == 0) control = (control & ~BOUNDS_MASK) | word;
        else profiles[profile] = word;
        emit ProfileSet(profile, bounds);
    }

    /// @inheritdoc INavRegistry
    function replacePoster(address poster) external onlyRole(ROLE_ADMIN) {
        uint256 roles = roleBits[poster];
        if (roles & (ROLE_RISK | ROLE_ADMIN) != 0) revert BadRoles(poster, roles | ROLE_POSTER);
        control = (uint256(uint160(poster)) << POSTER_SHIFT) | (control & (FLAGS_MASK << FLAGS_SHIFT | BOUNDS_MASK));
        emit PosterSet(poster);
    }

    /// @inheritdoc INavRegistry
    function setRole(address account, uint256 roles) external onlyRole(ROLE_ADMIN) {
        if (account == address(0)) revert ZeroAddress();
        uint256 effective = account == _poster() ? roles | ROLE_POSTER : roles;
        bool joined = effective & ROLE_POSTER != 0 && effective & (ROLE_RISK | ROLE_ADMIN) != 0;
        // The registry must not lose its last ADMIN by a slip: another ADMIN has to take the role away.
        bool locksOut = account == msg.sender && roles & ROLE_ADMIN == 0;
        if (roles & ~ALL_ROLES != 0 || joined || locksOut) revert BadRoles(account, effective);
        roleBits[account] = roles;
        emit RoleSet(account, roles);
    }

    /// @inheritdoc INavRegistry
    function getProfile(uint256 profile) external view returns (Bounds memory bounds) {
        uint256 word = _boundsOf(profile);
        bounds.upBps = uint16(word >> UP_BPS_SHIFT);
        bounds.downBps = uint16(word >> DOWN_BPS_SHIFT);
        bounds.dayBps = uint16(word >> DAY_BPS_SHIFT);
        bounds.minInterval = uint32((word >> MIN_INTERVAL_SHIFT) & SECONDS_MASK);
        bounds.maxAge = uint32(word & SECONDS_MASK);
    }

    /// @inheritdoc INavRegistry
    function grantedRoles(address account) external view returns (uint256 roles) {
        roles = roleBits[account];
        if (account == _poster() && account != address(0)) roles |= ROLE_POSTER;
    }

    /// @inheritdoc INavRegistry
    function settings() external view returns (address poster, bool paused, uint256 maxPostAge) {
        return (_poster(), (control >> FLAGS_SHIFT) & FLAG_PAUSED != 0, _maxPostAge);
    }

    /// @dev Any poster, and not while paused; `control_` is slot 0, loaded.
    function _requirePosting(uint256 control_) internal view {
        bool isPoster = control_ >> POSTER_SHIFT == uint160(msg.sender) || roleBits[msg.sender] & ROLE_POSTER != 0;
        if (!isPoster) revert Unauthorized(msg.sender);
        _requireNotPaused(control_);
    }

    function _requireNotPaused(uint256 control_) internal pure {
        if ((control_ >> FLAGS_SHIFT) & FLAG_PAUSED != 0) revert Paused();
    }

    function _poster() private view returns (address) {
        return address(uint160(control >> POSTER_SHIFT));
    }

    /// @dev The word whose low 88 bits are the profile's bounds; reverts for a profile without any.
    function _boundsOf(uint256 profile) internal view returns (uint256 word) {
        if (profile >= PROFILE_COUNT) revert UnknownProfile(profile);
        word = profile == 0 ? control : profiles[profile];
        if (word == 0) revert UnknownProfile(profile);
    }

    function _pack(Bounds memory bounds) private pure returns (uint256) {
        if (
            !_isBound(bounds.upBps) || !_isBound(bounds.downBps) || !_isBound(bounds.dayBps) || bounds.minInterval == 0
                || bounds.maxAge <= bounds.minInterval || bounds.maxAge > SECONDS_MASK
        ) revert BadBounds();
        return (uint256(bounds.upBps) << UP_BPS_SHIFT) | (uint256(bounds.downBps) << DOWN_BPS_SHIFT)
            | (uint256(bounds.dayBps) << DAY_BPS_SHIFT) | (uint256(bounds.minInterval) << MIN_INTERVAL_SHIFT)
            | bounds.maxAge;
    }

    function _isBound(uint256 bps) private pure returns (bool) {
        return bps != 0 && bps <= MAX_BOUND_BPS;
    }
}
