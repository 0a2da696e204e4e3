// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title ReadProbe
/// @notice What a read costs the contract that reads.
contract ReadProbe {
    /// @notice The read reverted.
    error ReadFailed(bytes reason);

    /// @notice Gas of one static call, with the call itself: the target is cold when this is the first thing that happens.
    function measure(address target, bytes calldata data) external view returns (uint256 gasUsed) {
        bytes memory call = data;
        uint256 before = gasleft();
        (bool success, bytes memory answer) = target.staticcall(call);
        gasUsed = before - gasleft();
        if (!success) revert ReadFailed(answer);
    }
}
