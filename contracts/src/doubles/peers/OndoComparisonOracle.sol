// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Feed} from "../Feed.sol";

/// @title OndoComparisonOracle
/// @notice A double of Ondo's RWAOracleExternalComparisonCheck: a price of 18 decimals that moves at most 2 %, and no
/// further than 0.74 % from what a Chainlink feed of a like instrument moved since.
/// @dev Behaviour from ondoprotocol/usdy contracts/rwaOracles/RWAOracleExternalComparisonCheck.sol. Here, unlike in
/// OndoOracle, basis points round toward zero.
contract OndoComparisonOracle is AccessControl {
    struct ChainlinkRoundData {
        uint80 roundId;
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint80 answeredInRound;
    }

    uint256 public constant MAX_CL_WINDOW = 25 hours;
    int256 public constant BPS_DENOMINATOR = 10_000;
    uint256 public constant MAX_CHANGE_DIFF_BPS = 74;
    uint256 public constant MAX_ABSOLUTE_DIFF_BPS = 200;
    uint256 public constant MIN_PRICE_UPDATE_WINDOW = 23 hours;
    uint256 public constant decimals = 18;
    bytes32 public constant SETTER_ROLE = keccak256("SETTER_ROLE");
    uint8 private constant CHAINLINK_DECIMALS = 8;

    int256 public rwaPrice;
    uint256 public priceTimestamp;
    /// @notice The feed's round at the last price; the next price needs another.
    ChainlinkRoundData public lastSetRound;
    Feed public immutable chainlinkOracle;
    string public description;

    event RWAExternalComparisonCheckPriceSet(
        int256 oldChainlinkPrice,
        uint80 indexed oldRoundId,
        int256 newChainlinkPrice,
        uint80 indexed newRoundId,
        int256 oldRWAPrice,
        int256 newRWAPrice
    );
    event ChainlinkPriceIgnored(
        int256 oldChainlinkPrice, uint80 indexed oldRoundId, int256 newChainlinkPrice, uint80 indexed newRoundId
    );

    error CorruptedChainlinkResponse();
    error ChainlinkOraclePriceStale();
    error DeltaDifferenceConstraintViolation();
    error AbsoluteDifferenceConstraintViolated();
    error PriceUpdateWindowViolation();
    error InvalidRWAPrice();
    error ChainlinkRoundNotUpdated();
    error InvalidAddress();

    constructor(int256 initialPrice, Feed feed, string memory description_, address admin, address setter) {
        if (admin == address(0) || setter == address(0)) revert InvalidAddress();
        if (feed.decimals() != CHAINLINK_DECIMALS) revert CorruptedChainlinkResponse();
        chainlinkOracle = feed;
        description = description_;
        _store(initialPrice, _freshRound(feed));
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(SETTER_ROLE, setter);
    }

    /// @notice Sets the price. A feed that moved further than the two bounds together is taken for broken and ignored.
    function setPrice(int256 newPrice) external onlyRole(SETTER_ROLE) {
        if (newPrice <= 0) revert InvalidRWAPrice();
        ChainlinkRoundData memory last = lastSetRound;
        ChainlinkRoundData memory round = _freshRound(chainlinkOracle);
        if (round.roundId == last.roundId) revert ChainlinkRoundNotUpdated();
        if (block.timestamp < priceTimestamp + MIN_PRICE_UPDATE_WINDOW) revert PriceUpdateWindowViolation();
        int256 change = _bps(rwaPrice, newPrice);
        if (_size(change) > MAX_ABSOLUTE_DIFF_BPS) revert AbsoluteDifferenceConstraintViolated();
        int256 compared = _bps(last.answer, round.answer);
        if (_size(compared) > MAX_ABSOLUTE_DIFF_BPS + MAX_CHANGE_DIFF_BPS) {
            emit ChainlinkPriceIgnored(last.answer, last.roundId, round.answer, round.roundId);
        } else if (_size(change - compared) > MAX_CHANGE_DIFF_BPS) {
            revert DeltaDifferenceConstraintViolation();
        }
        emit RWAExternalComparisonCheckPriceSet(
            last.answer, last.roundId, round.answer, round.roundId, rwaPrice, newPrice
        );
        _store(newPrice, round);
    }

    /// @notice The price (18 decimals) and when it was set (seconds).
    function getPriceData() external view returns (uint256 price, uint256 timestamp) {
        return (uint256(rwaPrice), priceTimestamp);
    }

    function _store(int256 price, ChainlinkRoundData memory round) private {
        rwaPrice = price;
        priceTimestamp = block.timestamp;
        lastSetRound = round;
    }

    function _freshRound(Feed feed) private view returns (ChainlinkRoundData memory round) {
        (round.roundId, round.answer, round.startedAt, round.updatedAt, round.answeredInRound) = feed.latestRoundData();
        bool complete = round.roundId != 0 && round.roundId == round.answeredInRound && round.updatedAt != 0;
        if (!complete || round.answer < 0 || round.updatedAt > block.timestamp) revert CorruptedChainlinkResponse();
        if (block.timestamp > round.updatedAt + MAX_CL_WINDOW) revert ChainlinkOraclePriceStale();
    }

    function _bps(int256 previous, int256 next) private pure returns (int256) {
        return (next - previous) * BPS_DENOMINATOR / previous;
    }

    function _size(int256 signed) private pure returns (uint256) {
        return signed < 0 ? uint256(-signed) : uint256(signed);
    }
}
