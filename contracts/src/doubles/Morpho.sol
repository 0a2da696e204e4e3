// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Token} from "./Token.sol";

interface ILoanOracle {
    function price() external view returns (uint256);
}

interface ILoanRate {
    function borrowRateView(Morpho.MarketParams memory params, Morpho.Market memory market)
        external
        view
        returns (uint256);
}

/// @title Morpho
/// @notice A double of Morpho Blue's lending markets: its views, its interest and its bounds, without fees, callbacks,
/// authorizations and liquidations. Anyone may act for anyone, and what an account owes can be set.
/// @dev Formulas of Morpho Blue 1.0: interest by three terms of the Taylor series, virtual shares, supplies rounded
/// down, debts up.
contract Morpho {
    struct MarketParams {
        address loanToken;
        address collateralToken;
        address oracle;
        address irm;
        uint256 lltv;
    }

    struct Market {
        uint128 totalSupplyAssets;
        uint128 totalSupplyShares;
        uint128 totalBorrowAssets;
        uint128 totalBorrowShares;
        uint128 lastUpdate;
        uint128 fee;
    }

    struct Position {
        uint256 supplyShares;
        uint128 borrowShares;
        uint128 collateral;
    }

    uint256 private constant WAD = 1000000000000000000;
    uint256 private constant ORACLE_SCALE = 1000000000000000000000000000000000000;
    uint256 private constant VIRTUAL_SHARES = 1000000;
    uint256 private constant VIRTUAL_ASSETS = 1;

    /// @notice Who receives fees: nobody.
    address public constant feeRecipient = address(0);
    /// @notice The parameters of a market; zeros for one that was never created.
    mapping(bytes32 id => MarketParams) public idToMarketParams;
    /// @notice The totals of a market at its last touch.
    mapping(bytes32 id => Market) public market;
    /// @notice What an account has in a market.
    mapping(bytes32 id => mapping(address account => Position)) public position;

    /// @notice Interest was added to a market's totals.
    event AccrueInterest(bytes32 indexed id, uint256 prevBorrowRate, uint256 interest, uint256 feeShares);

    /// @notice No such market, or it is there already.
    error WrongMarket(bytes32 id);
    /// @notice The account would owe more than the market lends on its collateral.
    error InsufficientCollateral();
    /// @notice The market has not so much to lend.
    error InsufficientLiquidity();

    /// @notice Creates a market; its id is the hash of its parameters.
    function createMarket(MarketParams memory params) external {
        bytes32 id = idOf(params);
        if (market[id].lastUpdate != 0) revert WrongMarket(id);
        market[id].lastUpdate = uint128(block.timestamp);
        idToMarketParams[id] = params;
    }

    /// @notice Lends `assets` of the caller's, in raw units.
    function supply(MarketParams memory params, uint256 assets, address onBehalf) external {
        bytes32 id = _accrued(params);
        Market storage current = market[id];
        uint256 shares = _shares(assets, current.totalSupplyAssets, current.totalSupplyShares, false);
        position[id][onBehalf].supplyShares += shares;
        current.totalSupplyShares += uint128(shares);
        current.totalSupplyAssets += uint128(assets);
        Token(params.loanToken).transferFrom(msg.sender, address(this), assets);
    }

    /// @notice Pledges `assets` of the caller's collateral token, in raw units.
    function supplyCollateral(MarketParams memory params, uint256 assets, address onBehalf) external {
        bytes32 id = _accrued(params);
        position[id][onBehalf].collateral += uint128(assets);
        Token(params.collateralToken).transferFrom(msg.sender, address(this), assets);
    }

    /// @notice Borrows `assets`, in raw units, for an account, and pays them to `receiver`.
    function borrow(MarketParams memory params, uint256 assets, address onBehalf, address receiver) external {
        bytes32 id = _accrued(params);
        Market storage current = market[id];
        _owe(id, onBehalf, _owed(id, onBehalf) + assets);
        if (!isHealthy(params, onBehalf)) revert InsufficientCollateral();
        if (current.totalBorrowAssets > current.totalSupplyAssets) revert InsufficientLiquidity();
        Token(params.loanToken).transfer(receiver, assets);
    }

    /// @notice Lets an account owe `assets`, in raw units, whatever its collateral; no tokens move.
    function setDebt(MarketParams memory params, address account, uint256 assets) external {
        _owe(_accrued(params), account, assets);
    }

    /// @notice Adds the interest up to now to a market's totals.
    function accrueInterest(MarketParams memory params) external {
        _accrued(params);
    }

    /// @notice Whether a market would not let an account be liquidated now, as of the totals that it has stored.
    function isHealthy(MarketParams memory params, address account) public view returns (bool) {
        bytes32 id = idOf(params);
        uint256 worth = position[id][account].collateral * ILoanOracle(params.oracle).price() / ORACLE_SCALE;
        return worth * params.lltv / WAD >= _owed(id, account);
    }

    /// @notice The id of a market.
    function idOf(MarketParams memory params) public pure returns (bytes32) {
        return keccak256(abi.encode(params));
    }

    function _accrued(MarketParams memory params) private returns (bytes32 id) {
        id = idOf(params);
        Market storage current = market[id];
        if (current.lastUpdate == 0) revert WrongMarket(id);
        uint256 elapsed = block.timestamp - current.lastUpdate;
        if (elapsed == 0) return id;
        uint256 rate = ILoanRate(params.irm).borrowRateView(params, current);
        uint256 first = rate * elapsed;
        uint256 second = first * first / (2 * WAD);
        uint256 third = second * first / (3 * WAD);
        uint128 interest = uint128(current.totalBorrowAssets * (first + second + third) / WAD);
        current.totalBorrowAssets += interest;
        current.totalSupplyAssets += interest;
        current.lastUpdate = uint128(block.timestamp);
        emit AccrueInterest(id, rate, interest, 0);
    }

    /// @dev Replaces what an account owes; the market's totals follow.
    function _owe(bytes32 id, address account, uint256 assets) private {
        Market storage current = market[id];
        uint128 shares = position[id][account].borrowShares;
        uint256 before = _assets(shares, current.totalBorrowAssets, current.totalBorrowShares);
        // Rounded up, a debt may exceed the total by one.
        current.totalBorrowAssets -= uint128(before > current.totalBorrowAssets ? current.totalBorrowAssets : before);
        current.totalBorrowShares -= shares;
        shares = uint128(_shares(assets, current.totalBorrowAssets, current.totalBorrowShares, true));
        position[id][account].borrowShares = shares;
        current.totalBorrowShares += shares;
        current.totalBorrowAssets += uint128(assets);
    }

    function _owed(bytes32 id, address account) private view returns (uint256) {
        Market storage current = market[id];
        return _assets(position[id][account].borrowShares, current.totalBorrowAssets, current.totalBorrowShares);
    }

    /// @dev Assets that shares of a debt are repaid with, rounded up.
    function _assets(uint256 shares, uint256 totalAssets, uint256 totalShares) private pure returns (uint256) {
        uint256 below = totalShares + VIRTUAL_SHARES;
        return (shares * (totalAssets + VIRTUAL_ASSETS) + below - 1) / below;
    }

    function _shares(uint256 assets, uint256 totalAssets, uint256 totalShares, bool up) private pure returns (uint256) {
        uint256 below = totalAssets + VIRTUAL_ASSETS;
        return (assets * (totalShares + VIRTUAL_SHARES) + (up ? below - 1 : 0)) / below;
    }
}
