// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @title MellowFeed
/// @notice A double of Mellow's PermissionedChainlinkOracle: its owner sets any price between two fixed bounds.
/// @dev Behaviour from mellow-finance/flexible-vaults src/oracles/PermissionedChainlinkOracle.sol.
contract MellowFeed is Ownable {
    uint8 private constant MAX_DECIMALS = 36;

    int256 public immutable minAllowedAnswer;
    int256 public immutable maxAllowedAnswer;
    uint8 public immutable decimals;
    int256 public latestAnswer;
    uint256 public latestTimestamp;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    error InvalidPrice();
    error InvalidDecimals();
    error InvalidAllowedRange();

    constructor(address owner_, uint8 decimals_, int256 answer, int256 lowest, int256 highest) Ownable(owner_) {
        if (decimals_ > MAX_DECIMALS) revert InvalidDecimals();
        if (lowest < 0 || lowest > highest) revert InvalidAllowedRange();
        (decimals, minAllowedAnswer, maxAllowedAnswer) = (decimals_, lowest, highest);
        _set(answer);
    }

    function updatePrice(int256 answer) external onlyOwner {
        _set(answer);
    }

    /// @notice The price and its time; the round ids are always zero.
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (0, latestAnswer, latestTimestamp, latestTimestamp, 0);
    }

    function _set(int256 answer) private {
        if (answer < minAllowedAnswer || answer > maxAllowedAnswer) revert InvalidPrice();
        (latestAnswer, latestTimestamp) = (answer, block.timestamp);
        emit AnswerUpdated(answer, 0, block.timestamp);
    }
}
