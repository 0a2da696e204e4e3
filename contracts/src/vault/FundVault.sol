// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import "../NavLayout.sol";
import {FundVaultExtension} from "./FundVaultExtension.sol";
import {IFundVaultCore} from "./IFundVaultCore.sol";
import {VaultMath, WAD} from "./VaultMath.sol";
import {VaultSettings} from "./VaultSettings.sol";
import {VaultSettlement} from "./VaultSettlement.sol";
import {VaultStorage} from "./VaultStorage.sol";
import {Configuration} from "./VaultTypes.sol";

/// @title FundVault
/// @notice The reference vault: how to use a posted NAV safely. `IFundVault` describes it.
/// @dev Its parts, each built on the one before: VaultAccess (roles, stops), VaultStorage (everything remembered),
/// VaultRequests (queue to claim), VaultSettlement; here the reads of ERC-4626. What is not found here is in the
/// extension.
contract FundVault is VaultSettlement, VaultSettings {
    address private immutable _extension;

    constructor(string memory name, string memory symbol, Configuration memory configuration)
        ERC20(name, symbol)
        VaultStorage(configuration)
    {
        _configure(configuration);
        _extension = address(new FundVaultExtension(configuration));
    }

    /// @dev Runs the extension's code on this contract's storage, and answers as it does. It takes no coins.
    fallback() external {
        address extension_ = _extension;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let success := delegatecall(gas(), extension_, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            if iszero(success) { revert(free, returndatasize()) }
            return(free, returndatasize())
        }
    }

    /// @notice The code of the calls that are not this contract's own.
    function extension() external view returns (address) {
        return _extension;
    }

    /// @inheritdoc IFundVaultCore
    function asset() external view returns (address) {
        return _asset;
    }

    /// @inheritdoc IFundVaultCore
    function totalAssets() external view returns (uint256 assets) {
        uint256 supply = totalSupply();
        return supply == 0 ? 0 : convertToAssets(supply);
    }

    /// @inheritdoc IFundVaultCore
    function convertToShares(uint256 assets) public view returns (uint256 shares) {
        uint256 pps = _conversionPrice();
        return pps == 0 ? 0 : VaultMath.saturatingMulDiv(assets, _assetScale * WAD, pps);
    }

    /// @inheritdoc IFundVaultCore
    function convertToAssets(uint256 shares) public view returns (uint256 assets) {
        return VaultMath.saturatingMulDiv(shares, _conversionPrice(), _assetScale * WAD);
    }

    /// @inheritdoc IFundVaultCore
    function maxDeposit(address) public view returns (uint256 assets) {
        if (!_takesRequests()) return 0;
        uint256 room = _depositRoom(_joinableEpoch());
        return room < _limits.minDeposit ? 0 : room;
    }

    /// @inheritdoc IFundVaultCore
    function maxMint(address receiver) external view returns (uint256 shares) {
        return convertToShares(maxDeposit(receiver));
    }

    /// @inheritdoc IFundVaultCore
    function maxRedeem(address owner) public view returns (uint256 shares) {
        return _takesRequests() ? balanceOf(owner) : 0;
    }

    /// @inheritdoc IFundVaultCore
    function maxWithdraw(address owner) external view returns (uint256 assets) {
        return convertToAssets(maxRedeem(owner));
    }

    /// @inheritdoc IFundVaultCore
    function previewDeposit(uint256) external pure returns (uint256) {
        revert NoPreview();
    }

    /// @inheritdoc IFundVaultCore
    function previewMint(uint256) external pure returns (uint256) {
        revert NoPreview();
    }

    /// @inheritdoc IFundVaultCore
    function previewRedeem(uint256) external pure returns (uint256) {
        revert NoPreview();
    }

    /// @inheritdoc IFundVaultCore
    function previewWithdraw(uint256) external pure returns (uint256) {
        revert NoPreview();
    }

    /// @dev The served price, whatever its age; par without shares; zero for a fund that was never registered.
    function _conversionPrice() private view returns (uint256) {
        return totalSupply() == 0 ? WAD : (_registry.readRaw(_fundId) >> PPS_SHIFT) & PPS_MASK;
    }

    function _takesRequests() private view returns (bool) {
        if (_closed || _frozen || paused()) return false;
        try _registry.ppsOrRevert(_fundId) returns (uint256) {
            return true;
        } catch {
            return false;
        }
    }
}
