// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {VaultHandler} from "./support/VaultHandler.sol";

/// @dev What a settlement or a claim may not do is checked in the handler; here is what must be true of every state.
contract VaultInvariantsTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    VaultHandler private handler;

    function setUp() public {
        handler = new VaultHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(handler), new bytes4[](1));
        excluded[0].selectors[0] = handler.setUp.selector;
    }

    function invariant_accounts_are_covered_and_dividends_are_pooled() external view {
        handler.checkAccounts();
        handler.checkDividends();
    }

    /// @dev The handler does what it is there for: its acts are not spent on a vault that is stopped or empty.
    function test_handler__over_many_acts__settles_and_claims() external {
        for (uint256 i; i < 150; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 act = seed % 8;
            if (act == 0) handler.requestDeposit(seed);
            else if (act == 1) handler.requestRedeem(seed);
            else if (act == 2) handler.settleEpoch(seed);
            else if (act == 3) handler.claimAll(seed);
            else if (act == 4) handler.movePrice(seed);
            else if (act == 5) handler.freezeAndCancel(seed);
            else if (act == 6) handler.unfreeze(seed);
            else handler.advance(seed);
            handler.checkAccounts();
        }
        require(handler.settlements() > 10, "settlements");
        require(handler.depositsSettled() > 3, "deposits");
        require(handler.redemptionsSettled() > 3, "redemptions");
        require(handler.claims() > 10, "claims");
    }
}
