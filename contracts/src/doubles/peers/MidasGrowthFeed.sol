// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MidasAccess} from "./MidasAccess.sol";

/// @title MidasGrowthFeed
/// @notice A double of Midas's CustomAggregatorV3CompatibleFeedGrowth: an answer of 8 decimals that grows at a yearly
/// rate from the time of its data.
/// @dev Behaviour from midas-apps/contracts contracts/feeds/CustomAggregatorV3CompatibleFeedGrowth.sol, without its
/// proxy.
contract MidasGrowthFeed is MidasAccess {
    struct Round {
        uint80 roundId;
        uint80 answeredInRound;
        int80 growthApr;
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
    }

    uint8 public constant decimals = 8;
    uint256 public constant version = 1;
    uint256 private constant MIN_INTERVAL = 1 hours;
    uint256 private constant MAX_DEVIATION = 100 * 10 ** 8;
    /// @dev Turns `answer * seconds * apr` into growth: an apr of 1e8 is 1 % in 365 days.
    int256 private constant GROWTH_SCALE = 100e8 * 365 days;

    string public description;
    /// @notice 1e8 is 1 %; so are both rates of growth.
    uint256 public maxAnswerDeviation;
    int192 public minAnswer;
    int192 public maxAnswer;
    int80 public minGrowthApr;
    int80 public maxGrowthApr;
    uint80 public latestRound;
    /// @notice Whether the guarded way refuses a falling answer and a negative rate.
    bool public onlyUp;
    mapping(uint80 => Round) private rounds;

    event AnswerUpdated(int256 indexed data, uint256 indexed roundId, uint256 indexed timestamp, int80 growthApr);
    event MaxGrowthAprUpdated(int80 newMaxGrowthApr);
    event MinGrowthAprUpdated(int80 newMinGrowthApr);
    event OnlyUpUpdated(bool newOnlyUp);

    constructor(
        address admin,
        address poster,
        int192[2] memory answers,
        uint256 maxAnswerDeviation_,
        int80[2] memory growth,
        bool onlyUp_,
        string memory description_
    ) MidasAccess(admin, poster) {
        require(answers[0] < answers[1], "CAG: !min/max");
        require(growth[0] <= growth[1], "CAG: !min/max growth");
        require(maxAnswerDeviation_ <= MAX_DEVIATION, "CAG: !max deviation");
        (minAnswer, maxAnswer) = (answers[0], answers[1]);
        (minGrowthApr, maxGrowthApr) = (growth[0], growth[1]);
        maxAnswerDeviation = maxAnswerDeviation_;
        onlyUp = onlyUp_;
        description = description_;
    }

    /// @notice Sets the next round when, grown up to now, it deviates little enough from the last one grown up to now,
    /// more than an hour has passed since the last post, and its data is newer.
    function setRoundDataSafe(int256 data, uint256 dataTimestamp, int80 growthApr) external {
        uint256 updatedAt = lastTimestamp();
        if (updatedAt != 0) {
            int256 deviation = _deviation(lastAnswer(), applyGrowth(data, growthApr, dataTimestamp));
            require(!onlyUp || deviation >= 0, "CAG: deviation is negative");
            require(_size(deviation) <= maxAnswerDeviation, "CAG: !deviation");
        }
        require(!onlyUp || growthApr >= 0, "CAG: negative apr");
        require(block.timestamp - updatedAt > MIN_INTERVAL, "CAG: not enough time passed");
        require(dataTimestamp > lastStartedAt(), "CAG: timestamp <= last startedAt");
        setRoundData(data, dataTimestamp, growthApr);
    }

    /// @notice Sets the next round; only the absolute bounds and that the data is of the past are checked.
    function setRoundData(int256 data, uint256 dataTimestamp, int80 growthApr) public onlyAggregatorAdmin {
        require(minAnswer <= data && data <= maxAnswer, "CAG: out of [min;max]");
        require(minGrowthApr <= growthApr && growthApr <= maxGrowthApr, "CAG: out of [min;max] growth");
        require(dataTimestamp < block.timestamp, "CAG: timestamp >= now");
        uint80 round = ++latestRound;
        rounds[round] = Round(round, round, growthApr, data, dataTimestamp, block.timestamp);
        emit AnswerUpdated(data, round, dataTimestamp, growthApr);
    }

    /// @notice Sets whether answers may fall; the poster itself decides.
    function setOnlyUp(bool onlyUp_) external onlyAggregatorAdmin {
        onlyUp = onlyUp_;
        emit OnlyUpUpdated(onlyUp_);
    }

    /// @notice Sets the highest rate of growth; the poster itself decides.
    function setMaxGrowthApr(int80 apr) external onlyAggregatorAdmin {
        require(apr >= minGrowthApr, "CAG: !max growth");
        maxGrowthApr = apr;
        emit MaxGrowthAprUpdated(apr);
    }

    /// @notice Sets the lowest rate of growth; the poster itself decides.
    function setMinGrowthApr(int80 apr) external onlyAggregatorAdmin {
        require(apr <= maxGrowthApr, "CAG: !min growth");
        minGrowthApr = apr;
        emit MinGrowthAprUpdated(apr);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latestRound);
    }

    function latestRoundDataRaw() external view returns (uint80, int256, uint256, uint256, uint80, int80) {
        return getRoundDataRaw(latestRound);
    }

    /// @notice The last answer grown up to now.
    function lastAnswer() public view returns (int256) {
        return applyGrowth(rounds[latestRound].answer, lastGrowthApr(), lastStartedAt());
    }

    function lastGrowthApr() public view returns (int80) {
        return rounds[latestRound].growthApr;
    }

    /// @notice When the last answer was posted (seconds); zero before the first.
    function lastTimestamp() public view returns (uint256) {
        return rounds[latestRound].updatedAt;
    }

    /// @notice The time of the last answer's data (seconds).
    function lastStartedAt() public view returns (uint256) {
        return rounds[latestRound].startedAt;
    }

    /// @notice A round with growth up to the next round's post, or up to now for the last one.
    function getRoundData(uint80 id)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        Round memory round = rounds[id];
        uint256 until = id == latestRound ? block.timestamp : rounds[id + 1].updatedAt;
        answer = applyGrowth(round.answer, round.growthApr, round.startedAt, until);
        return (round.roundId, answer, round.startedAt, round.updatedAt, round.answeredInRound);
    }

    /// @notice A round as it was posted.
    function getRoundDataRaw(uint80 id)
        public
        view
        returns (uint80, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound, int80 growthApr)
    {
        Round memory round = rounds[id];
        return
            (round.roundId, round.answer, round.startedAt, round.updatedAt, round.answeredInRound, round.growthApr);
    }

    function applyGrowth(int256 answer, int80 growthApr, uint256 from) public view returns (int256) {
        return applyGrowth(answer, growthApr, from, block.timestamp);
    }

    /// @notice An answer with simple interest for the seconds between two times, rounded toward zero.
    function applyGrowth(int256 answer, int80 growthApr, uint256 from, uint256 to) public pure returns (int256) {
        require(from <= to, "CAG: timestampTo < timestampFrom");
        return answer + answer * int256(to - from) * growthApr / GROWTH_SCALE;
    }
}
