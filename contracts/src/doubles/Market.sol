// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Market
/// @notice A Pendle market double: the views that a price reader needs, in Pendle's field order, all settable.
contract Market {
    struct Storage {
        int128 totalPt;
        int128 totalSy;
        uint96 lastLnImpliedRate;
        uint16 observationIndex;
        uint16 observationCardinality;
        uint16 observationCardinalityNext;
    }

    struct MarketState {
        int256 totalPt;
        int256 totalSy;
        int256 totalLp;
        address treasury;
        int256 scalarRoot;
        uint256 expiry;
        uint256 lnFeeRateRoot;
        uint256 reserveFeePercent;
        uint256 lastLnImpliedRate;
    }

    /// @notice Time of expiry, in seconds.
    uint256 public expiry;
    /// @notice How flat the curve is, scaled by 1e18: so flat that no trade moves the rate by a basis point.
    int256 public scalarRoot = 1e23;
    /// @notice Supply of LP tokens, in raw units.
    uint256 public totalSupply;
    /// @notice Decimals of the LP token.
    uint8 public constant decimals = 18;
    Storage private state;
    address private sy;
    address private pt;
    address private yt;
    uint32 private openedAt;

    /// @notice The market was never seeded.
    error OracleUninitialized();

    constructor(address sy_, address pt_, address yt_, uint256 expiry_) {
        (sy, pt, yt, expiry) = (sy_, pt_, yt_, expiry_);
        openedAt = uint32(block.timestamp);
    }

    /// @notice Seeds the market: reserves in raw units, the ln of the implied rate scaled by 1e18, and LP supply.
    function seed(int128 totalPt, int128 totalSy, uint96 lastLnImpliedRate, uint256 supply) external {
        state = Storage(totalPt, totalSy, lastLnImpliedRate, 0, 1, 1);
        totalSupply = supply;
    }

    /// @notice Sets the ln of the implied rate of the last trade, scaled by 1e18; zero is an unseeded market.
    function setLastLnImpliedRate(uint96 rate) external {
        state.lastLnImpliedRate = rate;
    }

    /// @notice Sets the supply of LP tokens.
    function setTotalSupply(uint256 supply) external {
        totalSupply = supply;
    }

    /// @notice Sets the time of expiry, in seconds.
    function setExpiry(uint256 expiry_) external {
        expiry = expiry_;
    }

    /// @notice Sets how flat the curve is, scaled by 1e18; real markets lie between 5 and 500.
    function setScalarRoot(int256 scalarRoot_) external {
        scalarRoot = scalarRoot_;
    }

    /// @notice Replaces the three tokens, as a wrong configuration would.
    function setTokens(address sy_, address pt_, address yt_) external {
        (sy, pt, yt) = (sy_, pt_, yt_);
    }

    /// @notice Reserves room for more observations.
    function increaseObservationsCardinalityNext(uint16 cardinalityNext) external {
        if (cardinalityNext > state.observationCardinalityNext) state.observationCardinalityNext = cardinalityNext;
    }

    /// @notice SY, PT and YT of the market.
    function readTokens() external view returns (address _SY, address _PT, address _YT) {
        return (sy, pt, yt);
    }

    /// @notice The market's packed state, field by field.
    function _storage()
        external
        view
        returns (
            int128 totalPt,
            int128 totalSy,
            uint96 lastLnImpliedRate,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext
        )
    {
        Storage memory current = state;
        return (
            current.totalPt,
            current.totalSy,
            current.lastLnImpliedRate,
            current.observationIndex,
            current.observationCardinality,
            current.observationCardinalityNext
        );
    }

    /// @notice The market's state as a router sees it; there are no fees.
    function readState(address) external view returns (MarketState memory market) {
        market.totalPt = state.totalPt;
        market.totalSy = state.totalSy;
        market.totalLp = int256(totalSupply);
        market.scalarRoot = scalarRoot;
        market.expiry = expiry;
        market.lastLnImpliedRate = state.lastLnImpliedRate;
    }

    /// @notice Whether the expiry has passed.
    function isExpired() external view returns (bool) {
        return block.timestamp >= expiry;
    }

    /// @notice One observation; only the first exists.
    function observations(uint256 index)
        external
        view
        returns (uint32 blockTimestamp, uint216 lnImpliedRateCumulative, bool initialized)
    {
        return index == 0 && state.observationCardinality > 0 ? (openedAt, 0, true) : (uint32(0), uint216(0), false);
    }

    /// @notice Cumulative ln implied rates at each of the given distances into the past, at a constant rate.
    function observe(uint32[] calldata secondsAgos) external view returns (uint216[] memory lnImpliedRateCumulative) {
        if (state.observationCardinality == 0) revert OracleUninitialized();
        lnImpliedRateCumulative = new uint216[](secondsAgos.length);
        for (uint256 i; i < secondsAgos.length; ++i) {
            uint256 elapsed = block.timestamp - secondsAgos[i] - openedAt;
            lnImpliedRateCumulative[i] = uint216(elapsed * state.lastLnImpliedRate);
        }
    }
}
