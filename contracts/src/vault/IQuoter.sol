// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title IQuoter
/// @notice The one function of ERC-7726 that the vault needs: what an amount of one token is worth in another.
interface IQuoter {
    /// @notice How many raw units of `quote` are worth `baseAmount` raw units of `base`, rounded down; reverts when it
    /// has no price that it would answer for.
    function getQuote(uint256 baseAmount, address base, address quote) external view returns (uint256 quoteAmount);
}
