// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title OndoOracle
/// @notice A double of Ondo's RWAOracleRateCheck: a price of 18 decimals that moves at most 1 % in 23 hours.
/// @dev Behaviour from ondoprotocol/usdy contracts/rwaOracles/RWAOracleRateCheck.sol. A caller without the role is
/// refused with OpenZeppelin 5's custom error, where the peer's older release has a text.
contract OndoOracle is AccessControl {
    uint256 public constant MIN_PRICE_UPDATE_WINDOW = 23 hours;
    uint256 public constant BPS_DENOMINATOR = 10_000;
    uint256 public constant MAX_CHANGE_DIFF_BPS = 100;
    bytes32 public constant SETTER_ROLE = keccak256("SETTER_ROLE");

    int256 public rwaPrice;
    uint256 public priceTimestamp;

    event RWAPriceSet(int256 oldPrice, int256 newPrice, uint256 timestamp);

    error InvalidPrice();
    error PriceUpdateWindowViolation();
    error DeltaDifferenceConstraintViolation();

    modifier positive(int256 price) {
        if (price <= 0) revert InvalidPrice();
        _;
    }

    constructor(address admin, address setter, int256 initialPrice) positive(initialPrice) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(SETTER_ROLE, setter);
        _set(initialPrice);
    }

    /// @notice Sets the price. The change is rounded up to whole basis points of the last price before it is compared.
    function setPrice(int256 newPrice) external onlyRole(SETTER_ROLE) positive(newPrice) {
        if (block.timestamp - priceTimestamp < MIN_PRICE_UPDATE_WINDOW) revert PriceUpdateWindowViolation();
        (uint256 last, uint256 next) = (uint256(rwaPrice), uint256(newPrice));
        uint256 change = next > last ? next - last : last - next;
        uint256 bps = Math.ceilDiv(change * BPS_DENOMINATOR, last);
        if (bps > MAX_CHANGE_DIFF_BPS) revert DeltaDifferenceConstraintViolation();
        _set(newPrice);
    }

    /// @notice The price (18 decimals) and when it was set (seconds).
    function getPriceData() external view returns (uint256 price, uint256 timestamp) {
        return (uint256(rwaPrice), priceTimestamp);
    }

    function _set(int256 price) private {
        emit RWAPriceSet(rwaPrice, price, block.timestamp);
        rwaPrice = price;
        priceTimestamp = block.timestamp;
    }
}
