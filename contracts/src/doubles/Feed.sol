// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Feed
/// @notice A Chainlink-shaped price feed (proxy and aggregator in one) whose every answer a test can set.
/// @dev Round ids are `phase << 64 | aggregatorRound`, as behind Chainlink's proxy.
contract Feed {
    struct Round {
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint80 answeredInRound;
    }

    /// @notice Version of the interface.
    uint256 public constant version = 4;
    /// @notice Decimals of every answer.
    uint8 public decimals;
    /// @notice What the feed prices, such as "ETH / USD".
    string public description;
    /// @notice Phase of the proxy.
    uint16 public phaseId = 1;
    /// @notice The aggregator behind the proxy; the feed itself unless set.
    address public aggregator;
    /// @notice Lowest answer that the aggregator would accept.
    int192 public minAnswer = 1;
    /// @notice Highest answer that the aggregator would accept.
    int192 public maxAnswer = type(int192).max;
    /// @notice Id of the latest round.
    uint80 public latestRound;
    /// @notice Whether round reads revert for contracts.
    bool public gated;
    /// @notice Whether round reads revert for everyone.
    bool public failing;
    mapping(uint80 => Round) private rounds;

    /// @notice A round was set.
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    constructor(uint8 decimals_, string memory description_) {
        decimals = decimals_;
        description = description_;
        aggregator = address(this);
        latestRound = uint80(1) << 64;
    }

    /// @notice The latest round; all zero before the first `set`, as an unused OCR2 feed answers.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return getRoundData(latestRound);
    }

    /// @notice One round; zeros for a round that never was.
    function getRoundData(uint80 id)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        require(!failing, "No data present");
        // Access-controlled feeds let a plain eth_call through and refuse contracts, a multicall among them.
        require(!gated || msg.sender == tx.origin, "No access");
        Round memory round = rounds[id];
        if (round.updatedAt == 0 && round.answer == 0) return (0, 0, 0, 0, 0);
        return (id, round.answer, round.startedAt, round.updatedAt, round.answeredInRound);
    }

    /// @notice The latest answer alone, in `decimals`.
    function latestAnswer() external view returns (int256) {
        return rounds[latestRound].answer;
    }

    /// @notice Opens the next round with an answer (in `decimals`) of the given time (seconds).
    function set(int256 answer, uint256 updatedAt) external {
        _setRound(latestRound + 1, answer, updatedAt, updatedAt, latestRound + 1);
    }

    /// @notice Sets every field of a round and makes it the latest.
    function setRound(uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
        external
    {
        _setRound(roundId, answer, startedAt, updatedAt, answeredInRound);
    }

    /// @notice Changes the decimals after deployment, as a phase switch can.
    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    /// @notice Starts a new phase: round ids jump, and the feed answers zeros until the next `set`.
    function setPhase(uint16 phase) external {
        phaseId = phase;
        latestRound = uint80(phase) << 64;
    }

    /// @notice Names another aggregator than the feed itself.
    function setAggregator(address aggregator_) external {
        aggregator = aggregator_;
    }

    /// @notice Sets the range outside which the aggregator accepts no answer (the feed itself does not enforce it).
    function setBounds(int192 minAnswer_, int192 maxAnswer_) external {
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
    }

    /// @notice Makes round reads revert for callers that are contracts.
    function setGated(bool gated_) external {
        gated = gated_;
    }

    /// @notice Makes round reads revert for everyone, as a feed that was shut down does.
    function setFailing(bool failing_) external {
        failing = failing_;
    }

    function _setRound(uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
        private
    {
        rounds[roundId] = Round(answer, startedAt, updatedAt, answeredInRound);
        latestRound = roundId;
        emit AnswerUpdated(answer, roundId, updatedAt);
    }
}
