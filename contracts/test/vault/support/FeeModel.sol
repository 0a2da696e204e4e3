// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FeeTerms} from "../../../src/vault/VaultTypes.sol";

/// @dev The fees that a keeper deducts, written as `navoracle/domain/fees.py` has them: management on gross, then
/// performance on what is left, each rounded up.
library FeeModel {
    uint256 private constant WAD = 1e18;

    function payable_(FeeTerms memory terms, uint256 gross, uint256 supply, uint256 mark, uint256 elapsed)
        internal
        pure
        returns (uint256 management, uint256 performance)
    {
        management = up(gross * terms.managementRate * elapsed, 365 days * WAD);
        uint256 net = gross > management ? gross - management : 0;
        if (supply == 0 || net * WAD / supply <= mark) return (management, 0);
        performance = up((net * WAD - mark * supply) * terms.performanceRate, WAD * WAD);
    }

    function up(uint256 numerator, uint256 denominator) internal pure returns (uint256) {
        return numerator == 0 ? 0 : (numerator - 1) / denominator + 1;
    }
}
