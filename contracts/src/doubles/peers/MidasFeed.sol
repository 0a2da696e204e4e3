// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MidasAccess} from "./MidasAccess.sol";

/// @title MidasFeed
/// @notice A double of Midas's CustomAggregatorV3CompatibleFeed: answers of 8 decimals that its admin sets by hand, by
/// a guarded way or, with the same role, by one that skips the deviation and the hour.
/// @dev Behaviour from midas-apps/contracts contracts/feeds/CustomAggregatorV3CompatibleFeed.sol, without its proxy.
contract MidasFeed is MidasAccess {
    struct RoundData {
        uint80 roundId;
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint80 answeredInRound;
    }

    uint8 public constant decimals = 8;
    uint256 public constant version = 1;
    uint256 private constant MIN_INTERVAL = 1 hours;
    uint256 private constant MAX_DEVIATION = 100 * 10 ** 8;

    string public description;
    uint80 public latestRound;
    /// @notice 1e8 is 1 %.
    uint256 public maxAnswerDeviation;
    int192 public minAnswer;
    int192 public maxAnswer;
    mapping(uint80 => RoundData) private rounds;

    event AnswerUpdated(int256 indexed data, uint256 indexed roundId, uint256 indexed timestamp);

    constructor(
        address admin,
        address poster,
        int192 minAnswer_,
        int192 maxAnswer_,
        uint256 maxAnswerDeviation_,
        string memory description_
    ) MidasAccess(admin, poster) {
        require(minAnswer_ < maxAnswer_, "CA: !min/max");
        require(maxAnswerDeviation_ <= MAX_DEVIATION, "CA: !max deviation");
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
        maxAnswerDeviation = maxAnswerDeviation_;
        description = description_;
    }

    /// @notice Sets the next round when it deviates little enough and more than an hour has passed. The guards come
    /// before the caller's role.
    function setRoundDataSafe(int256 data) external {
        uint256 updatedAt = lastTimestamp();
        if (updatedAt != 0) {
            require(_size(_deviation(lastAnswer(), data)) <= maxAnswerDeviation, "CA: !deviation");
        }
        require(block.timestamp - updatedAt > MIN_INTERVAL, "CA: not enough time passed");
        setRoundData(data);
    }

    /// @notice Sets the next round; only the absolute bounds are checked.
    function setRoundData(int256 data) public onlyAggregatorAdmin {
        require(minAnswer <= data && data <= maxAnswer, "CA: out of [min;max]");
        uint80 round = ++latestRound;
        rounds[round] = RoundData(round, data, block.timestamp, block.timestamp, round);
        emit AnswerUpdated(data, round, block.timestamp);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latestRound);
    }

    function lastAnswer() public view returns (int256) {
        return rounds[latestRound].answer;
    }

    /// @notice When the last answer was posted (seconds); zero before the first.
    function lastTimestamp() public view returns (uint256) {
        return rounds[latestRound].updatedAt;
    }

    function getRoundData(uint80 id)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        RoundData memory round = rounds[id];
        return (round.roundId, round.answer, round.startedAt, round.updatedAt, round.answeredInRound);
    }
}
