// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Token
/// @notice An ERC-20 double with decimals that can change and supply that anyone can mint or burn.
contract Token {
    /// @notice ERC-20 name.
    string public name;
    /// @notice ERC-20 symbol.
    string public symbol;
    /// @notice ERC-20 decimals.
    uint8 public decimals;
    /// @notice ERC-20 total supply.
    uint256 public totalSupply;
    /// @notice ERC-20 balance of an account.
    mapping(address => uint256) public balanceOf;
    /// @notice ERC-20 allowance of a spender.
    mapping(address => mapping(address => uint256)) public allowance;

    /// @notice ERC-20 transfer.
    event Transfer(address indexed from, address indexed to, uint256 value);
    /// @notice ERC-20 approval.
    event Approval(address indexed owner, address indexed spender, uint256 value);

    /// @notice The account has less than the transfer needs.
    error InsufficientBalance(address account, uint256 balance, uint256 needed);
    /// @notice The spender may move less than the transfer needs.
    error InsufficientAllowance(address spender, uint256 allowed, uint256 needed);

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    /// @notice Changes the decimals after deployment, as a proxy upgrade would.
    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    /// @notice Creates `amount` raw units for `account`.
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    /// @notice Destroys `amount` raw units of `account`.
    function burn(address account, uint256 amount) external {
        _burn(account, amount);
    }

    /// @notice ERC-20 `transfer`.
    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    /// @notice ERC-20 `approve`.
    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    /// @notice ERC-20 `transferFrom`.
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < amount) revert InsufficientAllowance(msg.sender, allowed, amount);
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
        return true;
    }

    function _mint(address account, uint256 amount) internal {
        totalSupply += amount;
        balanceOf[account] += amount;
        emit Transfer(address(0), account, amount);
    }

    function _burn(address account, uint256 amount) internal {
        uint256 balance = balanceOf[account];
        if (balance < amount) revert InsufficientBalance(account, balance, amount);
        balanceOf[account] = balance - amount;
        totalSupply -= amount;
        emit Transfer(account, address(0), amount);
    }

    function _move(address from, address to, uint256 amount) private {
        uint256 balance = balanceOf[from];
        if (balance < amount) revert InsufficientBalance(from, balance, amount);
        balanceOf[from] = balance - amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}
