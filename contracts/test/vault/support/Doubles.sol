// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @dev The part of ERC-20 and AccessControl that the tests call on the vault.
interface IShares {
    function totalSupply() external view returns (uint256);
    function balanceOf(address account) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function approve(address spender, uint256 amount) external returns (bool);
    function grantRole(bytes32 role, address account) external;
    function revokeRole(bytes32 role, address account) external;
    function renounceRole(bytes32 role, address account) external;
    function hasRole(bytes32 role, address account) external view returns (bool);
}

/// @dev `src/doubles/Token.sol`.
interface IToken {
    function totalSupply() external view returns (uint256);
    function balanceOf(address account) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function approve(address spender, uint256 amount) external returns (bool);
    function mint(address account, uint256 amount) external;
    function burn(address account, uint256 amount) external;
}

/// @dev Prices as fractions: `paid` raw units of any quote token for `lot` raw units.
contract Quoter {
    error NoPrice();

    struct Price {
        uint256 paid;
        uint256 lot;
    }

    mapping(address base => Price) private prices;

    function setPrice(address base, uint256 paid, uint256 lot) external {
        prices[base] = Price(paid, lot);
    }

    function getQuote(uint256 amount, address base, address) external view returns (uint256) {
        if (prices[base].lot == 0) revert NoPrice();
        return amount * prices[base].paid / prices[base].lot;
    }
}

/// @dev An ERC-20 that keeps one percent of each transfer, or refuses them, or calls back into the vault.
contract TrickToken {
    mapping(address => uint256) public balanceOf;
    uint8 public constant decimals = 6;
    bool public blocked;
    bytes public callback;
    bytes4 public answer;

    error Blocked();

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function block_(bool blocked_) external {
        blocked = blocked_;
    }

    function callBack(bytes calldata callback_) external {
        callback = callback_;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        return move(from, to, amount - amount / 100);
    }

    function move(address from, address to, uint256 amount) private returns (bool) {
        if (blocked) revert Blocked();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        if (callback.length != 0) {
            (bool success, bytes memory data) = msg.sender.call(callback);
            answer = success ? bytes4(0) : bytes4(data);
        }
        return true;
    }
}
