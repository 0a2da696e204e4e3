// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Token} from "./Token.sol";

/// @title Vault4626
/// @notice An ERC-4626 double whose assets are whatever it holds, so that a donation moves its rate.
/// @dev No virtual shares on purpose: readers must survive the naive vault. Every conversion rounds down.
contract Vault4626 is Token {
    Token private immutable underlying;

    /// @notice ERC-4626 deposit.
    event Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares);
    /// @notice ERC-4626 withdrawal.
    event Withdraw(
        address indexed sender, address indexed receiver, address indexed owner, uint256 assets, uint256 shares
    );

    /// @notice The caller may redeem fewer of the owner's shares.
    error InsufficientShares(address owner, uint256 allowed, uint256 needed);

    constructor(Token asset_, string memory name_, string memory symbol_, uint8 decimals_)
        Token(name_, symbol_, decimals_)
    {
        underlying = asset_;
    }

    /// @notice The token that the vault holds.
    function asset() external view returns (address) {
        return address(underlying);
    }

    /// @notice Raw units of the asset that the vault holds, gifts included.
    function totalAssets() public view returns (uint256) {
        return underlying.balanceOf(address(this));
    }

    /// @notice Assets for `shares`, in raw units, rounded down; one for one while there are no shares.
    function convertToAssets(uint256 shares) public view returns (uint256) {
        return totalSupply == 0 ? shares : shares * totalAssets() / totalSupply;
    }

    /// @notice Shares for `assets`, in raw units, rounded down; one for one while there are no shares.
    function convertToShares(uint256 assets) public view returns (uint256) {
        return totalSupply == 0 ? assets : assets * totalSupply / totalAssets();
    }

    /// @notice What `redeem` would pay now.
    function previewRedeem(uint256 shares) external view returns (uint256) {
        return convertToAssets(shares);
    }

    /// @notice What `owner` could withdraw now.
    function maxWithdraw(address owner) external view returns (uint256) {
        return convertToAssets(balanceOf[owner]);
    }

    /// @notice ERC-4626 `deposit`.
    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        shares = convertToShares(assets);
        underlying.transferFrom(msg.sender, address(this), assets);
        _mint(receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    /// @notice ERC-4626 `redeem`.
    function redeem(uint256 shares, address receiver, address owner) external returns (uint256 assets) {
        if (msg.sender != owner) {
            uint256 allowed = allowance[owner][msg.sender];
            if (allowed < shares) revert InsufficientShares(owner, allowed, shares);
            allowance[owner][msg.sender] = allowed - shares;
        }
        assets = convertToAssets(shares);
        _burn(owner, shares);
        underlying.transfer(receiver, assets);
        emit Withdraw(msg.sender, receiver, owner, assets, shares);
    }
}
