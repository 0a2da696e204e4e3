// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// Like staked USDe: rewards vest over eight hours, and shares leave only through a cooldown that burns them at once.
contract CooldownVault is ERC4626 {
    struct Cooldown {
        uint104 cooldownEnd;
        uint152 underlyingAmount;
    }

    error OperationNotAllowed();

    uint256 public constant VESTING = 8 hours;
    uint256 public cooldownDuration = 7 days;
    uint256 private waiting;
    uint256 private vesting;
    uint256 private vestingSince;
    mapping(address => Cooldown) public cooldowns;

    constructor(IERC20 asset_) ERC20("Cooldown vault", "COOL") ERC4626(asset_) {}

    function setCooldownDuration(uint256 duration) external {
        cooldownDuration = duration;
    }

    function addRewards(uint256 amount) external {
        IERC20(asset()).transferFrom(msg.sender, address(this), amount);
        vesting = amount;
        vestingSince = block.timestamp;
    }

    function totalAssets() public view override returns (uint256) {
        uint256 passed = block.timestamp - vestingSince;
        uint256 unvested = passed >= VESTING ? 0 : (vesting * (VESTING - passed)) / VESTING;
        return IERC20(asset()).balanceOf(address(this)) - unvested - waiting;
    }

    function cooldownShares(uint256 shares) external returns (uint256 assets) {
        assets = previewRedeem(shares);
        _burn(msg.sender, shares);
        waiting += assets;
        cooldowns[msg.sender].cooldownEnd = uint104(block.timestamp + cooldownDuration);
        cooldowns[msg.sender].underlyingAmount += uint152(assets);
    }

    function unstake(address receiver) external {
        Cooldown memory cooldown = cooldowns[msg.sender];
        require(block.timestamp >= cooldown.cooldownEnd, "cooling");
        delete cooldowns[msg.sender];
        waiting -= cooldown.underlyingAmount;
        IERC20(asset()).transfer(receiver, cooldown.underlyingAmount);
    }

    function withdraw(uint256 assets, address receiver, address owner) public override returns (uint256) {
        if (cooldownDuration != 0) revert OperationNotAllowed();
        return super.withdraw(assets, receiver, owner);
    }

    function redeem(uint256 shares, address receiver, address owner) public override returns (uint256) {
        if (cooldownDuration != 0) revert OperationNotAllowed();
        return super.redeem(shares, receiver, owner);
    }
}
