// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {INavRegistry} from "../INavRegistry.sol";
import {PPS_MASK, PPS_SHIFT, VALUATION_TS_MASK, VALUATION_TS_SHIFT} from "../NavLayout.sol";
import {AggregatorV3Interface} from "./AggregatorV3Interface.sol";
import {FeedArguments, FeedArgumentsCodec, NO_DECIMALS} from "./FeedArguments.sol";
import {INavFeed} from "./INavFeed.sol";

/// @title NavFeed
/// @notice The code behind the feeds that answer the last good value whatever the fund's state.
/// @dev A feed is a minimal clone with `FeedArguments` behind its code; there is no storage and nobody can change it.
contract NavFeed is INavFeed {
    /// @dev Decimals of the registry's price per share.
    uint256 internal constant PPS_DECIMALS = 18;
    /// @dev Decimals that Morpho adds to those of the loan token, less those of the price per share.
    uint256 private constant MORPHO_SCALE = 36 - PPS_DECIMALS;

    /// @inheritdoc INavFeed
    INavRegistry public immutable registry;

    /// @inheritdoc AggregatorV3Interface
    uint256 public constant version = 1;

    /// @param registry_ The registry of every feed that uses this code.
    constructor(INavRegistry registry_) {
        registry = registry_;
    }

    // ---- AggregatorV3Interface

    /// @inheritdoc AggregatorV3Interface
    function decimals() external view returns (uint8) {
        return _arguments().decimals;
    }

    /// @inheritdoc AggregatorV3Interface
    function description() external view returns (string memory) {
        string memory fundId = Strings.toString(_arguments().fundId);
        return string.concat("NAV per share of fund ", fundId, isStrict() ? " (strict)" : "");
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData()
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        FeedArguments memory own = _arguments();
        (uint256 pps, uint256 valuationTs) = _served(own.fundId);
        uint256 scaled = pps / 10 ** (PPS_DECIMALS - own.decimals);
        if (scaled == 0) revert ZeroAnswer(own.fundId, pps);
        // A price per share has 88 bits and its time 32: neither cast can change it.
        (roundId, answer) = (uint80(valuationTs), int256(scaled));
        return (roundId, answer, valuationTs, valuationTs, roundId);
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId_)
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (roundId, answer, startedAt, updatedAt, answeredInRound) = latestRoundData();
        if (roundId_ != roundId) revert RoundNotServed(roundId_, roundId);
    }

    // ---- strict in both flavours

    /// @inheritdoc INavFeed
    function getRate() external view returns (uint256 rate) {
        return registry.ppsOrRevert(_arguments().fundId);
    }

    /// @inheritdoc INavFeed
    function price() external view returns (uint256 scaled) {
        FeedArguments memory own = _arguments();
        if (!_hasPair(own)) revert NoPair(own.fundId);
        uint256 pps = registry.ppsOrRevert(own.fundId);
        uint256 up = MORPHO_SCALE + own.baseDecimals;
        scaled = up >= own.shareDecimals ? pps * 10 ** (up - own.shareDecimals) : pps / 10 ** (own.shareDecimals - up);
        if (scaled == 0) revert ZeroAnswer(own.fundId, pps);
    }

    /// @inheritdoc INavFeed
    function getQuote(uint256 inAmount, address base, address quote) public view returns (uint256 outAmount) {
        FeedArguments memory own = _arguments();
        bool selling = base == own.shares && quote == own.base;
        bool buying = base == own.base && quote == own.shares;
        if (!(selling || buying) || !_hasPair(own)) revert OracleUnsupportedPair(base, quote);
        uint256 pps;
        try registry.ppsOrRevert(own.fundId) returns (uint256 found) {
            pps = found;
        } catch {
            revert OracleUntrustedData(base, quote);
        }
        // `shares` raw units of the one are worth `value` raw units of the other.
        uint256 shares = 10 ** (PPS_DECIMALS + own.shareDecimals);
        uint256 value = pps * 10 ** own.baseDecimals;
        return selling ? Math.mulDiv(inAmount, value, shares) : Math.mulDiv(inAmount, shares, value);
    }

    /// @inheritdoc INavFeed
    function getQuotes(uint256 inAmount, address base, address quote)
        external
        view
        returns (uint256 bidOutAmount, uint256 askOutAmount)
    {
        bidOutAmount = getQuote(inAmount, base, quote);
        askOutAmount = bidOutAmount;
    }

    // ---- what the feed is

    /// @inheritdoc INavFeed
    function isStrict() public pure virtual returns (bool) {
        return false;
    }

    /// @inheritdoc INavFeed
    function fund()
        external
        view
        returns (uint256 fundId, address shares, uint8 shareDecimals, address base, uint8 baseDecimals)
    {
        FeedArguments memory own = _arguments();
        return (own.fundId, own.shares, own.shareDecimals, own.base, own.baseDecimals);
    }

    /// @dev What `latestRoundData` may answer.
    function _served(uint256 fundId) internal view virtual returns (uint256 pps, uint256 valuationTs) {
        uint256 word = registry.readRaw(fundId);
        return ((word >> PPS_SHIFT) & PPS_MASK, (word >> VALUATION_TS_SHIFT) & VALUATION_TS_MASK);
    }

    function _arguments() private view returns (FeedArguments memory) {
        (bool known, FeedArguments memory own) = FeedArgumentsCodec.ofThis();
        if (!known) revert NotAFeed();
        return own;
    }

    function _hasPair(FeedArguments memory own) private pure returns (bool) {
        return own.shareDecimals != NO_DECIMALS && own.baseDecimals != NO_DECIMALS;
    }
}
