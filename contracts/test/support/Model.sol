// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @dev The guard's rules written a second time, plainly, for the tests to compare with.
library Model {
    /// @dev The step from `served` to `posted` in tenths of a bps, rounded away from zero.
    function step(uint256 served, uint256 posted) internal pure returns (int256) {
        bool up = posted > served;
        uint256 scaled = (up ? posted - served : served - posted) * 100_000;
        uint256 units = scaled / served + (scaled % served == 0 ? 0 : 1);
        return up ? int256(units) : -int256(units);
    }

    /// @dev Whether a step or sum lies within bounds given in bps, the bounds included.
    function within(int256 units, uint256 downBps, uint256 upBps) internal pure returns (bool) {
        return units >= -int256(downBps * 10) && units <= int256(upBps * 10);
    }

    /// @dev A fresh seed, with room above for small numbers to be added.
    function hash(uint256 seed) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed))) >> 8;
    }

    function hash(uint256 seed, uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index))) >> 8;
    }

    /// @dev A number between two others, both included, from any seed.
    function pick(uint256 seed, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + hash(seed) % (high - low + 1);
    }
}
