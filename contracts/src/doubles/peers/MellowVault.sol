// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

/// @title MellowVault
/// @notice What Mellow's oracle needs of its vault: roles, the base asset, and an ear for reports.
/// @dev Vault and fee manager in one. It remembers the last price that it was told, which is how a test sees that a
/// suspicious report did not reach the vault. Behaviour from mellow-finance/flexible-vaults
/// src/modules/ShareModule.sol.
contract MellowVault is AccessControl {
    /// @notice The only caller of `handleReport`.
    address public immutable oracle;
    /// @notice The last price that an asset's queues would have been settled at; 1e18 scale, shares for one asset.
    mapping(address asset => uint224 priceD18) public handledPrice;
    address private immutable baseAsset_;

    event ReportHandled(
        address indexed asset, uint224 indexed priceD18, uint32 depositTimestamp, uint32 redeemTimestamp, uint256 fees
    );

    error Forbidden();

    constructor(address admin, address oracle_, address base) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        oracle = oracle_;
        baseAsset_ = base;
    }

    /// @notice The fee manager, which knows the base asset.
    function feeManager() external view returns (address) {
        return address(this);
    }

    /// @notice The asset whose price fees are computed from.
    function baseAsset(address) external view returns (address) {
        return baseAsset_;
    }

    /// @notice Takes a price that the oracle trusts; only requests older than the two times would be settled.
    function handleReport(address asset, uint224 priceD18, uint32 depositTimestamp, uint32 redeemTimestamp) external {
        if (msg.sender != oracle) revert Forbidden();
        handledPrice[asset] = priceD18;
        emit ReportHandled(asset, priceD18, depositTimestamp, redeemTimestamp, 0);
    }
}
