// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A vault of ERC-7540 in both directions. It has one request per controller (id 0); the owner of requests fulfils them.
contract AsyncVault is ERC20 {
    struct Request {
        uint256 pending;
        uint256 claimable;
        uint256 fixedAmount;
    }

    IERC20 public immutable asset;
    uint256 private set_aside;
    mapping(address => Request) private redeems;
    mapping(address => Request) private deposits;

    constructor(IERC20 asset_) ERC20("Asynchronous vault", "ASYNC") {
        asset = asset_;
    }

    function seed(uint256 assets, uint256 shares) external {
        asset.transferFrom(msg.sender, address(this), assets);
        _mint(msg.sender, shares);
    }

    function lose(uint256 assets) external {
        asset.transfer(address(0xdead), assets);
    }

    function totalAssets() public view returns (uint256) {
        return asset.balanceOf(address(this)) - set_aside;
    }

    function convertToAssets(uint256 shares) public view returns (uint256) {
        return totalSupply() == 0 ? shares : (shares * totalAssets()) / totalSupply();
    }

    function previewRedeem(uint256) external pure returns (uint256) {
        revert("asynchronous");
    }

    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256) {
        require(owner == msg.sender, "owner");
        _transfer(owner, address(this), shares);
        redeems[controller].pending += shares;
        return 0;
    }

    function fulfilRedeem(address controller, uint256 shares) external {
        uint256 assets = convertToAssets(shares);
        redeems[controller].pending -= shares;
        redeems[controller].claimable += shares;
        redeems[controller].fixedAmount += assets;
        _burn(address(this), shares);
        set_aside += assets;
    }

    function withdraw(uint256 assets, address receiver, address controller) external returns (uint256 shares) {
        require(controller == msg.sender, "controller");
        Request storage request = redeems[controller];
        shares = assets == request.fixedAmount ? request.claimable : (assets * request.claimable) / request.fixedAmount;
        request.fixedAmount -= assets;
        request.claimable -= shares;
        set_aside -= assets;
        asset.transfer(receiver, assets);
    }

    function requestDeposit(uint256 assets, address controller, address owner) external returns (uint256) {
        require(owner == msg.sender, "owner");
        asset.transferFrom(owner, address(this), assets);
        set_aside += assets;
        deposits[controller].pending += assets;
        return 0;
    }

    function fulfilDeposit(address controller, uint256 assets) external {
        uint256 shares = (assets * totalSupply()) / totalAssets();
        deposits[controller].pending -= assets;
        deposits[controller].claimable += assets;
        deposits[controller].fixedAmount += shares;
        set_aside -= assets;
        _mint(address(this), shares);
    }

    function mint(uint256 shares, address receiver, address controller) external returns (uint256 assets) {
        require(controller == msg.sender, "controller");
        Request storage request = deposits[controller];
        assets = shares == request.fixedAmount ? request.claimable : (shares * request.claimable) / request.fixedAmount;
        request.fixedAmount -= shares;
        request.claimable -= assets;
        _transfer(address(this), receiver, shares);
    }

    function pendingRedeemRequest(uint256, address controller) external view returns (uint256) {
        return redeems[controller].pending;
    }

    function claimableRedeemRequest(uint256, address controller) external view returns (uint256) {
        return redeems[controller].claimable;
    }

    function maxWithdraw(address controller) external view returns (uint256) {
        return redeems[controller].fixedAmount;
    }

    function pendingDepositRequest(uint256, address controller) external view returns (uint256) {
        return deposits[controller].pending;
    }

    function claimableDepositRequest(uint256, address controller) external view returns (uint256) {
        return deposits[controller].claimable;
    }

    function maxMint(address controller) external view returns (uint256) {
        return deposits[controller].fixedAmount;
    }
}
