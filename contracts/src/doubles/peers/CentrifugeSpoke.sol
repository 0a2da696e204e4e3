// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title CentrifugeSpoke
/// @notice A double of Centrifuge's Spoke: prices never go back in time, and are refused on read once too old.
/// @dev Behaviour from centrifuge/protocol-v3 src/core/spoke/Spoke.sol and types/Price.sol.
contract CentrifugeSpoke {
    struct Price {
        uint128 price;
        uint64 computedAt;
        uint64 maxAge;
    }

    address private immutable hub;
    address private immutable ward;
    mapping(uint64 poolId => mapping(bytes16 scId => Price)) private prices;

    event UpdateSharePrice(uint64 indexed poolId, bytes16 indexed scId, uint128 price, uint64 computedAt);
    event UpdateMaxSharePriceAge(uint64 indexed poolId, bytes16 indexed scId, uint64 maxPriceAge);

    error NotAuthorized();
    error CannotSetOlderPrice();
    error InvalidPrice();

    modifier only(address caller) {
        if (msg.sender != caller) revert NotAuthorized();
        _;
    }

    constructor(address ward_) {
        hub = msg.sender;
        ward = ward_;
    }

    /// @notice Sets for how many seconds after its own time a price counts; without this, for ever.
    function setMaxSharePriceAge(uint64 poolId, bytes16 scId, uint64 maxAge) external only(ward) {
        prices[poolId][scId].maxAge = maxAge;
        emit UpdateMaxSharePriceAge(poolId, scId, maxAge);
    }

    /// @notice Takes a price from the hub, of the same time as the last or later.
    function updatePricePoolPerShare(uint64 poolId, bytes16 scId, uint128 price, uint64 computedAt) external only(hub) {
        Price storage stored = prices[poolId][scId];
        if (computedAt < stored.computedAt) revert CannotSetOlderPrice();
        if (stored.computedAt == 0 && stored.maxAge == 0) stored.maxAge = type(uint64).max;
        stored.price = price;
        stored.computedAt = computedAt;
        emit UpdateSharePrice(poolId, scId, price, computedAt);
    }

    /// @notice The price; with `checkValidity` it reverts for one that is too old or was never set.
    function pricePoolPerShare(uint64 poolId, bytes16 scId, bool checkValidity) external view returns (uint128) {
        Price memory stored = prices[poolId][scId];
        uint256 validUntil = uint256(stored.computedAt) + stored.maxAge;
        bool valid = stored.computedAt != 0 && block.timestamp <= validUntil;
        if (checkValidity && !valid) revert InvalidPrice();
        return stored.price;
    }
}
