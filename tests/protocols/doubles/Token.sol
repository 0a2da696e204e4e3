// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token that anybody mints; a fee in bps is burned from each transfer, and the issuer freezes accounts.
contract Token is ERC20 {
    uint8 private immutable places;
    uint256 public feeBps;
    mapping(address => bool) public isBlacklisted;

    constructor(string memory name_, uint8 decimals_) ERC20(name_, name_) {
        places = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return places;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint256 bps) external {
        feeBps = bps;
    }

    function setBlacklisted(address account, bool frozen) external {
        isBlacklisted[account] = frozen;
    }

    function _beforeTokenTransfer(address from, address to, uint256) internal view override {
        require(!isBlacklisted[from] && !isBlacklisted[to], "blacklisted");
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        uint256 fee = (amount * feeBps) / 10_000;
        if (fee > 0) _burn(from, fee);
        super._transfer(from, to, amount - fee);
    }
}
