// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title EnzymeValue
/// @notice A double of Enzyme's ManualValueOracleLib: any value, at any time, of any size, as long as the updater sends
/// it.
/// @dev Behaviour from enzymefinance/protocol contracts/persistent/arbitrary-value-oracles/manual-value, without its
/// proxy and without the two steps in which the owner changes.
contract EnzymeValue {
    address private immutable owner;
    address private updater;
    int192 private value;
    uint64 private lastUpdated;

    event Initialized(bytes32 description);
    event UpdaterSet(address updater);
    event ValueUpdated(int256 value);

    constructor(address owner_, address updater_, bytes32 description) {
        owner = owner_;
        emit Initialized(description);
        if (updater_ != address(0)) _setUpdater(updater_);
    }

    /// @notice Names who may store values.
    function setUpdater(address next) external {
        require(msg.sender == owner, "onlyOwner: Unauthorized");
        _setUpdater(next);
    }

    /// @notice Stores a value. There is no guard.
    function updateValue(int192 next) external {
        require(msg.sender == updater, "updateValue: Unauthorized");
        value = next;
        lastUpdated = uint64(block.timestamp);
        emit ValueUpdated(next);
    }

    function getOwner() external view returns (address) {
        return owner;
    }

    function getUpdater() external view returns (address) {
        return updater;
    }

    function getValue() public view returns (int256) {
        return value;
    }

    /// @notice When the value was stored (seconds), which says nothing of when it was true.
    function getLastUpdated() public view returns (uint256) {
        return lastUpdated;
    }

    function getValueWithTimestamp() external view returns (int256, uint256) {
        return (getValue(), getLastUpdated());
    }

    function _setUpdater(address next) private {
        updater = next;
        emit UpdaterSet(next);
    }
}
