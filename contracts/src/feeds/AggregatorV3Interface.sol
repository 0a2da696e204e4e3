// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title AggregatorV3Interface
/// @notice The read interface of Chainlink's price feeds, which most consumers of a price expect.
interface AggregatorV3Interface {
    /// @notice Decimals of the answer.
    function decimals() external view returns (uint8);

    /// @notice What the feed tells, for people.
    function description() external view returns (string memory);

    /// @notice Version of the feed's code.
    function version() external view returns (uint256);

    /// @notice One round's answer. Parameters as in `latestRoundData`.
    function getRoundData(uint80 roundId_)
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

    /// @notice The newest answer.
    /// @return roundId Grows with every new answer.
    /// @return answer The price, scaled by `decimals`.
    /// @return startedAt Unix seconds.
    /// @return updatedAt Unix seconds; what consumers hold the age against.
    /// @return answeredInRound The same as `roundId`.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
