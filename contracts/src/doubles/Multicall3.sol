// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Multicall3
/// @notice The standard `aggregate3` batch reader for chains that have none deployed (embedded chains, local nodes).
/// @dev Same ABI and the same answers as the contract that public chains carry, written for tests: not tuned for gas.
contract Multicall3 {
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    /// @notice Makes the calls in order and returns every answer.
    /// @param calls Target, whether its failure is tolerated, and call data of each call.
    /// @return returnData Success and return bytes of each call; a target without code succeeds with no bytes.
    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory returnData) {
        returnData = new Result[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            Call3 calldata current = calls[i];
            (bool success, bytes memory data) = current.target.call(current.callData);
            require(success || current.allowFailure, "Multicall3: call failed");
            returnData[i] = Result(success, data);
        }
    }

    /// @notice The native balance of an address, in wei.
    function getEthBalance(address addr) external view returns (uint256 balance) {
        return addr.balance;
    }

    /// @notice The hash of one of the last 256 blocks; zero for any other.
    function getBlockHash(uint256 blockNumber) external view returns (bytes32 blockHash) {
        return blockhash(blockNumber);
    }

    /// @notice The timestamp of the block that the call sees, in seconds.
    function getCurrentBlockTimestamp() external view returns (uint256 timestamp) {
        return block.timestamp;
    }

    /// @notice The number of the block that the call sees.
    function getBlockNumber() external view returns (uint256 blockNumber) {
        return block.number;
    }

    /// @notice The chain id that the call sees.
    function getChainId() external view returns (uint256 chainid) {
        return block.chainid;
    }
}
