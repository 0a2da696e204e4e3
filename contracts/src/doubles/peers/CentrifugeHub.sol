// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {CentrifugeSpoke} from "./CentrifugeSpoke.sol";

/// @title CentrifugeHub
/// @notice A double of Centrifuge's Hub, with the parts of its registry and share class manager that a price needs.
/// @dev Behaviour from centrifuge/protocol-v3 src/core/hub/Hub.sol and ShareClassManager.sol. Pool, share class and
/// price have the ABI types of the peer's PoolId, ShareClassId and D18. A notification arrives at once, where the
/// peer's takes a message to another chain.
contract CentrifugeHub {
    struct Price {
        uint128 price;
        uint64 computedAt;
    }

    address private immutable ward;
    CentrifugeSpoke public immutable spoke;
    /// @notice Who may post prices of a pool.
    mapping(uint64 poolId => mapping(address => bool)) public manager;
    /// @notice Whether a pool has a share class.
    mapping(uint64 poolId => mapping(bytes16 scId => bool)) public exists;
    /// @notice The price of a share in the pool's currency, 1e18 scale, and the time that it was computed for.
    mapping(uint64 poolId => mapping(bytes16 scId => Price)) public pricePoolPerShare;

    event UpdateManager(uint64 indexed poolId, address indexed manager, bool canManage);
    event UpdatePricePoolPerShare(uint64 indexed poolId, bytes16 indexed scId, uint128 price, uint64 computedAt);
    event NotifySharePrice(
        uint16 indexed centrifugeId, uint64 indexed poolId, bytes16 scId, uint128 poolPerShare, uint64 computedAt
    );

    error NotAuthorized();
    error NotManager();
    error ShareClassNotFound();
    error CannotSetFuturePrice();

    modifier auth() {
        if (msg.sender != ward) revert NotAuthorized();
        _;
    }

    constructor(address ward_) {
        ward = ward_;
        spoke = new CentrifugeSpoke(ward_);
    }

    /// @notice Where managers are kept.
    function hubRegistry() external view returns (address) {
        return address(this);
    }

    /// @notice Where prices are kept.
    function shareClassManager() external view returns (address) {
        return address(this);
    }

    /// @notice Lets an address post a pool's prices, or no longer.
    function updateManager(uint64 poolId, address manager_, bool canManage) external auth {
        manager[poolId][manager_] = canManage;
        emit UpdateManager(poolId, manager_, canManage);
    }

    /// @notice Gives a pool a share class.
    function addShareClass(uint64 poolId, bytes16 scId) external auth {
        exists[poolId][scId] = true;
    }

    /// @notice Stores a price. Its time may not be in the future; it may be older than the stored price's, and the
    /// price may be anything.
    function updateSharePrice(uint64 poolId, bytes16 scId, uint128 price, uint64 computedAt) external payable {
        if (!manager[poolId][msg.sender]) revert NotManager();
        if (!exists[poolId][scId]) revert ShareClassNotFound();
        if (computedAt > block.timestamp) revert CannotSetFuturePrice();
        pricePoolPerShare[poolId][scId] = Price(price, computedAt);
        emit UpdatePricePoolPerShare(poolId, scId, price, computedAt);
    }

    /// @notice Sends the stored price to the spoke.
    function notifySharePrice(uint64 poolId, bytes16 scId, uint16 centrifugeId, address) external payable {
        if (!manager[poolId][msg.sender]) revert NotManager();
        Price memory stored = pricePoolPerShare[poolId][scId];
        emit NotifySharePrice(centrifugeId, poolId, scId, stored.price, stored.computedAt);
        spoke.updatePricePoolPerShare(poolId, scId, stored.price, stored.computedAt);
    }
}
