// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

interface IMarketTokens {
    function readTokens() external view returns (address sy, address pt, address yt);
}

interface IExchangeRate {
    function exchangeRate() external view returns (uint256);
}

/// @title PtOracle
/// @notice A double of Pendle's PT oracle: spot (duration 0) and time-weighted rates are set per market.
/// @dev A market without rates answers 1e18, as the real oracle does for one that was never seeded.
contract PtOracle {
    struct Rates {
        uint256 spot;
        uint256 twap;
    }

    struct OracleState {
        bool increaseCardinalityRequired;
        uint16 cardinalityRequired;
        bool oldestObservationSatisfied;
    }

    mapping(address market => Rates) private assetRates;
    mapping(address market => Rates) private syRates;
    mapping(address market => OracleState) private states;

    /// @notice The market's observations do not reach back that far.
    error OracleTargetTooOld(uint32 target, uint32 oldest);

    /// @notice Sets PT to accounting asset, scaled by 1e18, and makes the market's time-weighted rate ready.
    function setRates(address market, uint256 spot, uint256 twap) external {
        assetRates[market] = Rates(spot, twap);
        states[market] = OracleState(false, 1, true);
    }

    /// @notice Sets PT to SY, scaled by 1e18; until then it follows the asset rate and the SY's exchange rate.
    function setSyRates(address market, uint256 spot, uint256 twap) external {
        syRates[market] = Rates(spot, twap);
    }

    /// @notice Sets what `getOracleState` answers for a market.
    function setOracleState(
        address market,
        bool increaseCardinalityRequired,
        uint16 cardinalityRequired,
        bool oldestObservationSatisfied
    ) external {
        states[market] = OracleState(increaseCardinalityRequired, cardinalityRequired, oldestObservationSatisfied);
    }

    /// @notice PT to accounting asset over `duration` seconds (0 is spot), scaled by 1e18.
    function getPtToAssetRate(address market, uint32 duration) public view returns (uint256) {
        return _rate(assetRates[market], market, duration);
    }

    /// @notice PT to SY over `duration` seconds (0 is spot), scaled by 1e18 and rounded down.
    function getPtToSyRate(address market, uint32 duration) external view returns (uint256) {
        if (syRates[market].spot != 0) return _rate(syRates[market], market, duration);
        (address sy,,) = IMarketTokens(market).readTokens();
        return getPtToAssetRate(market, duration) * 1e18 / IExchangeRate(sy).exchangeRate();
    }

    /// @notice Whether the market's observations reach back over a duration.
    function getOracleState(address market, uint32)
        external
        view
        returns (bool increaseCardinalityRequired, uint16 cardinalityRequired, bool oldestObservationSatisfied)
    {
        OracleState memory state = states[market];
        return (state.increaseCardinalityRequired, state.cardinalityRequired, state.oldestObservationSatisfied);
    }

    function _rate(Rates storage rates, address market, uint32 duration) private view returns (uint256) {
        if (duration == 0) return rates.spot == 0 ? 1e18 : rates.spot;
        if (!states[market].oldestObservationSatisfied) {
            revert OracleTargetTooOld(uint32(block.timestamp) - duration, uint32(block.timestamp));
        }
        return rates.twap == 0 ? 1e18 : rates.twap;
    }
}
