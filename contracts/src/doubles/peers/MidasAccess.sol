// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

/// @title MidasAccess
/// @notice Who may post to a Midas feed. The peer keeps all roles in one MidasAccessControl; here a feed is its own.
/// @dev Behaviour from midas-apps/contracts contracts/access/WithMidasAccessControl.sol.
abstract contract MidasAccess is AccessControl {
    bytes32 private constant FEED_ADMIN_ROLE = keccak256("CUSTOM_AGGREGATOR_FEED_ADMIN_ROLE");

    constructor(address admin, address poster) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(FEED_ADMIN_ROLE, poster);
    }

    /// @notice The role that posts, by the guarded and by the unguarded way alike.
    function feedAdminRole() public pure returns (bytes32) {
        return FEED_ADMIN_ROLE;
    }

    /// @notice Where roles are kept.
    function accessControl() external view returns (address) {
        return address(this);
    }

    modifier onlyAggregatorAdmin() {
        require(hasRole(feedAdminRole(), msg.sender), "WMAC: hasnt role");
        _;
    }

    /// @dev The change in percent of the last price, 1e8 for 1 %, with its sign and rounded toward zero; 100 % for a
    /// new price of zero.
    function _deviation(int256 last, int256 next) internal pure returns (int256) {
        int256 percent = 1e8;
        if (next == 0) return 100 * percent;
        return (next - last) * percent * 100 / last;
    }

    function _size(int256 signed) internal pure returns (uint256) {
        return uint256(signed < 0 ? -signed : signed);
    }
}
