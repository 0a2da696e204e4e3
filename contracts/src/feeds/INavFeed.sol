// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../INavRegistry.sol";
import {AggregatorV3Interface} from "./AggregatorV3Interface.sol";

/// @title INavFeed
/// @notice One fund's price per share in the shapes that lending markets, pools and strategies read.
/// @dev Two flavours differ in `latestRoundData` and `getRoundData` alone. `NavFeed` answers the last good value, whatever
/// the fund's state, under its own valuation time: the consumer must check the age. `NavFeedStrict` reverts with the
/// registry's error when posting is paused or the fund is held, estimated, stale or closed. Everything below is strict in
/// both, because its callers cannot see an age.
///
/// `updatedAt` is always the valuation time, never the time of the block. Every conversion rounds down. A price that would
/// round to zero reverts.
interface INavFeed is AggregatorV3Interface {
    /// @notice The feed's code was called at its own address instead of through a fund's feed.
    error NotAFeed();
    /// @notice Only the present round is kept.
    error RoundNotServed(uint80 requested, uint80 served);
    /// @notice The price per share is less than one unit of what the answer is scaled by.
    error ZeroAnswer(uint256 fundId, uint256 pps);
    /// @notice The fund has no share token, or counts in nothing whose decimals are known, so there is no `price`.
    error NoPair(uint256 fundId);
    /// @notice ERC-7726: the feed serves shares against the fund's base asset, in both directions, and nothing else.
    error OracleUnsupportedPair(address base, address quote);
    /// @notice ERC-7726: posting is paused, or the fund is held, estimated, stale or closed. `getRate` tells which.
    error OracleUntrustedData(address base, address quote);

    /// @notice Balancer's rate of a token: the price per share scaled by 1e18.
    /// @dev Reverts with the registry's error in both flavours: rate consumers do not look at an age.
    function getRate() external view returns (uint256 rate);

    /// @notice Morpho's oracle: the price of one raw unit of shares (the collateral) in raw units of the fund's base asset
    /// (the loan token), scaled by 1e36.
    /// @dev pps x 10^(18 + base decimals - share decimals), rounded down; reverts as `getRate`, and with `NoPair`.
    function price() external view returns (uint256 scaled);

    /// @notice ERC-7726: what `inAmount` raw units of `base` are worth in raw units of `quote`, rounded down.
    function getQuote(uint256 inAmount, address base, address quote) external view returns (uint256 outAmount);

    /// @notice `getQuote` twice, as Euler's router asks for bid and ask; a NAV has no spread.
    function getQuotes(uint256 inAmount, address base, address quote)
        external
        view
        returns (uint256 bidOutAmount, uint256 askOutAmount);

    /// @notice The registry that the price is read from.
    function registry() external view returns (INavRegistry);

    /// @notice Whether `latestRoundData` reverts instead of answering an old or doubtful value.
    function isStrict() external view returns (bool);

    /// @notice What the feed was created for. None of it can change.
    /// @return fundId The fund's id in the registry.
    /// @return shares The address that the fund was registered with, its share token.
    /// @return shareDecimals Decimals of the share token when the feed was created; 255 when it was no token.
    /// @return base The asset that the fund is counted in; the zero address for none on this chain.
    /// @return baseDecimals Decimals of the base asset when the feed was created; 255 when they are not known, or when the
    /// fund was registered as counted in its own shares.
    function fund()
        external
        view
        returns (uint256 fundId, address shares, uint8 shareDecimals, address base, uint8 baseDecimals);
}
