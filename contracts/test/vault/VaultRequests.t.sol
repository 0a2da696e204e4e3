// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../../src/INavRegistry.sol";
import {IFundVaultEvents} from "../../src/vault/IFundVaultEvents.sol";
import "../../src/vault/VaultTypes.sol";
import {Model} from "../support/Model.sol";
import {TrickToken} from "./support/Doubles.sol";
import {VaultTest} from "./support/VaultTest.sol";

contract VaultRequestsTest is VaultTest {
    function cancelDeposit(address account, uint256 epoch) private view returns (bytes memory) {
        return abi.encodeCall(vault.cancelDepositRequest, (epoch, account, account));
    }

    function cancelRedeem(address account, uint256 epoch) private view returns (bytes memory) {
        return abi.encodeCall(vault.cancelRedeemRequest, (epoch, account, account));
    }

    function test_cancellation__before_the_grace__is_refused_and_possible_after() public {
        uint256 held = invested(BOB, 1000 * UNIT);
        uint256 epoch = deposit(ALICE, 100 * UNIT);
        redeem(BOB, held);
        vm.warp(vault.settlement().closesAt + CANCEL_GRACE - 1);
        refused(ALICE, cancelDeposit(ALICE, epoch), IFundVaultEvents.NotCancellable.selector, "a second early");
        refused(BOB, cancelRedeem(BOB, epoch), IFundVaultEvents.NotCancellable.selector, "a second early");
        later(1);
        refused(ALICE, cancelDeposit(ALICE, epoch), 0, "overdue");
        refused(BOB, cancelRedeem(BOB, epoch), 0, "overdue");
        vm.assertEq(token.balanceOf(ALICE), 100 * UNIT, "assets");
        vm.assertEq(shares.balanceOf(BOB), held, "shares");
        refused(ALICE, cancelDeposit(ALICE, epoch), IFundVaultEvents.NothingToClaim.selector, "twice");
        vm.assertEq(vault.settlement().depositAssets, 0, "nothing queued");
        vm.assertEq(vault.accountedOf(address(vault)), 0, "nothing in escrow");
    }

    function test_cancellation__of_what_is_settled__is_refused_even_while_frozen() public {
        uint256 held = invested(BOB, 1000 * UNIT);
        uint256 epoch = deposit(ALICE, 100 * UNIT);
        redeem(BOB, held / 2);
        runEpoch();
        vm.prank(GUARDIAN);
        vault.freeze("test");
        refused(ALICE, cancelDeposit(ALICE, epoch), IFundVaultEvents.NothingToClaim.selector, "assets");
        refused(BOB, cancelRedeem(BOB, epoch), IFundVaultEvents.NothingToClaim.selector, "shares");
        vm.assertTrue(claim(ALICE, epoch) > 0 && claimUnits(BOB, epoch) > 0, "but claimed");
    }

    function test_cancellation__after_the_valuation__is_taken_off_what_the_nav_shows() public {
        invested(CAROL, 1000 * UNIT);
        deposit(ALICE, 100 * UNIT);
        deposit(BOB, 1000 * UNIT);
        vm.warp(vault.settlement().closesAt + CANCEL_GRACE);
        postNav();
        uint256 valued = block.timestamp;
        (, uint256 pps,,,) = registry.read(FUND);
        later(1);
        refused(ALICE, cancelDeposit(ALICE, 2), 0, "cancelled");
        vm.assertEq(vault.cancelledSince(2, valued), 100 * UNIT, "unseen");
        vm.assertEq(vault.cancelledSince(2, valued + 1), 100 * UNIT, "the same second is unseen");
        vm.assertEq(vault.cancelledSince(2, valued + 2), 0, "seen");
        settle();
        uint256 bought = claim(BOB, 2);
        vm.assertTrue(bought * pps <= 1000e18 * WAD, "not for what has gone");
        vm.assertTrue((bought + 1e6) * pps >= 1000e18 * WAD, "for all that stayed");
    }

    function test_frozen__requests_are_cancellable_and_nothing_else_moves() public {
        uint256 epoch = deposit(ALICE, 100 * UNIT);
        vm.prank(GUARDIAN);
        vault.freeze("NAV below zero");
        refused(
            BOB, abi.encodeCall(vault.requestDeposit, (UNIT, BOB, BOB)), IFundVaultEvents.VaultIsFrozen.selector, "in"
        );
        refused(BOB, abi.encodeCall(vault.requestRedeem, (1, BOB, BOB)), IFundVaultEvents.VaultIsFrozen.selector, "out");
        waitForSettlement();
        postNav();
        refusedSettlement(IFundVaultEvents.VaultIsFrozen.selector, "settlement");
        vm.assertEq(vault.maxDeposit(ALICE) + vault.maxMint(ALICE), 0, "max");
        refused(ALICE, cancelDeposit(ALICE, epoch), 0, "cancel");
        vm.prank(RISK);
        vault.unfreeze();
        settle();
    }

    function test_claims__while_frozen_paused_closed_and_held__go_on() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        redeem(ALICE, held / 2);
        uint256 epoch = deposit(BOB, 100 * UNIT);
        runEpoch();
        vm.startPrank(GUARDIAN);
        vault.pause();
        vault.freeze("test");
        vm.stopPrank();
        vm.prank(ADMIN);
        vault.close();
        holdByGuardian(FUND);
        vm.warp(block.timestamp + 30 days);
        vm.assertTrue(claim(BOB, epoch) > 0, "shares");
        vm.assertTrue(claimUnits(ALICE, epoch) > 0, "units");
    }

    function test_rejection__of_an_overdue_epoch__lets_the_others_settle() public {
        uint256 held = invested(CAROL, 1000 * UNIT);
        uint256 epoch = deposit(ALICE, 100 * UNIT);
        redeem(CAROL, held / 2);
        bytes memory reject = abi.encodeCall(vault.rejectRequests, (epoch, true, true));
        waitForSettlement();
        refused(RISK, reject, IFundVaultEvents.NotCancellable.selector, "not overdue");
        vm.warp(vault.settlement().closesAt + CANCEL_GRACE);
        refused(RISK, reject, 0, "overdue");
        postNav();
        settle();
        vm.assertEq(vault.epochOf(epoch).mintedShares, 0, "nothing minted");
        vm.assertEq(vault.pendingDepositRequest(epoch, ALICE), 100 * UNIT, "pending for ever");
        refused(
            ALICE,
            abi.encodeCall(vault.claimDeposit, (epoch, ALICE, ALICE)),
            IFundVaultEvents.NothingToClaim.selector,
            "claim"
        );
        later(1 days);
        refused(ALICE, cancelDeposit(ALICE, epoch), 0, "cancel");
        refused(CAROL, cancelRedeem(CAROL, epoch), 0, "cancel");
        vm.assertEq(shares.balanceOf(CAROL), held, "shares");
        vm.assertEq(token.balanceOf(ALICE), 100 * UNIT, "assets");
    }

    function test_operators_and_allowances__act_for_the_owner__others_do_not() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        token.mint(ALICE, 100 * UNIT);
        bytes memory request = abi.encodeCall(vault.requestDeposit, (100 * UNIT, BOB, ALICE));
        refused(BOB, request, IFundVaultEvents.NotOperator.selector, "nobody");
        vm.prank(ALICE);
        vault.setOperator(BOB, true);
        refused(BOB, request, 0, "operator");
        vm.assertEq(vault.pendingDepositRequest(2, BOB), 100 * UNIT, "the controller has it");
        vm.assertTrue(selectorOf(CAROL, abi.encodeCall(vault.requestRedeem, (held, CAROL, ALICE))) != 0, "no allowance");
        vm.prank(ALICE);
        shares.approve(CAROL, held);
        refused(CAROL, abi.encodeCall(vault.requestRedeem, (held, ALICE, ALICE)), 0, "allowance");
        runEpoch();
        bytes memory claims = abi.encodeCall(vault.claimRedemption, (2, ALICE, CAROL));
        refused(CAROL, claims, IFundVaultEvents.NotOperator.selector, "an allowance is no operator");
        refused(BOB, claims, 0, "operator");
        vm.assertTrue(token.balanceOf(CAROL) > 0, "to the receiver");
    }

    function test_deposit_limits__are_exact() public {
        bytes4 small = IFundVaultEvents.DepositTooSmall.selector;
        bytes4 full = IFundVaultEvents.DepositCapReached.selector;
        token.mint(ALICE, 20_000_000 * UNIT);
        approve(ALICE);
        refused(ALICE, abi.encodeCall(vault.requestDeposit, (UNIT - 1, ALICE, ALICE)), small, "minimum");
        refused(ALICE, abi.encodeCall(vault.requestDeposit, (10_000_000 * UNIT + 1, ALICE, ALICE)), full, "cap");
        vm.assertEq(vault.maxDeposit(ALICE), 10_000_000 * UNIT, "room");
        refused(ALICE, abi.encodeCall(vault.requestDeposit, (9_999_999 * UNIT + 1, ALICE, ALICE)), 0, "most");
        vm.assertEq(vault.maxDeposit(ALICE), 0, "less room than the minimum");
    }

    function test_max__when_the_value_is_held_stale_estimated_or_paused__is_zero_and_reads_do_not_revert() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        vm.assertEq(vault.maxRedeem(ALICE), held, "can leave");
        vm.assertTrue(vault.maxWithdraw(ALICE) > 0 && vault.maxMint(ALICE) > 0, "can join");
        holdByGuardian(FUND);
        nothingCanBeRequested("held");
        vm.prank(RISK);
        registry.release(one(FUND));
        vm.warp(block.timestamp + 3601);
        nothingCanBeRequested("stale");
        postAt(block.timestamp, record(FUND, 1000e18, WAD, 95, true));
        nothingCanBeRequested("estimated");
        later(60);
        postNav();
        vm.prank(GUARDIAN);
        registry.setPaused(true);
        nothingCanBeRequested("the registry is paused");
        vm.prank(RISK);
        registry.setPaused(false);
        vm.prank(GUARDIAN);
        vault.pause();
        nothingCanBeRequested("paused");
        vm.prank(RISK);
        vault.unpause();
        vm.assertEq(vault.maxRedeem(ALICE), held, "again");
    }

    function nothingCanBeRequested(string memory why) private {
        uint256 sum = vault.maxDeposit(ALICE) + vault.maxMint(ALICE) + vault.maxRedeem(ALICE) + vault.maxWithdraw(ALICE);
        vm.assertEq(sum, 0, why);
        vm.assertTrue(selectorOf(ALICE, abi.encodeCall(vault.requestRedeem, (1, ALICE, ALICE))) != 0, why);
        vm.assertTrue(vault.totalAssets() > 0, why);
        vm.assertTrue(vault.convertToAssets(type(uint256).max) > 0, why);
        vm.assertEq(vault.convertToShares(type(uint256).max), type(uint256).max, why);
    }

    function test_previews__revert() public {
        bytes4 none = IFundVaultEvents.NoPreview.selector;
        refused(ALICE, abi.encodeCall(vault.previewDeposit, (1)), none, "deposit");
        refused(ALICE, abi.encodeCall(vault.previewMint, (1)), none, "mint");
        refused(ALICE, abi.encodeCall(vault.previewRedeem, (1)), none, "redeem");
        refused(ALICE, abi.encodeCall(vault.previewWithdraw, (1)), none, "withdraw");
    }

    function test_payout_token__that_keeps_a_part__is_refused_and_one_that_blocks_holds_up_nothing_else() public {
        TrickToken trick = new TrickToken();
        quoter.setPrice(address(trick), 1, 1);
        uint256 held = invested(ALICE, 1000 * UNIT);
        vm.prank(ADMIN);
        vault.setPayoutToken(address(trick), true);
        redeem(ALICE, held / 2);
        trick.mint(CUSTODIAN, 1000 * UNIT);
        bytes memory delivery = abi.encodeCall(vault.deliver, (2, address(trick), 300 * UNIT));
        refused(CUSTODIAN, delivery, IFundVaultEvents.WrongAmountReceived.selector, "a fee on transfer");
        refused(CUSTODIAN, abi.encodeCall(vault.deliver, (2, address(trick), 99)), 0, "too little for a fee");
        runEpoch();
        trick.block_(true);
        vm.prank(ALICE);
        uint256 paid = vault.claimRedemptionOf(2, 0, ALICE, ALICE);
        vm.assertTrue(paid > 0 && token.balanceOf(ALICE) == paid, "the asset");
        vm.assertTrue(selectorOf(ALICE, abi.encodeCall(vault.claimRedemption, (2, ALICE, ALICE))) != 0, "blocked");
        trick.block_(false);
        claimUnits(ALICE, 2);
        vm.assertTrue(trick.balanceOf(ALICE) > 0 && token.balanceOf(ALICE) == paid, "each once");
    }

    function test_reentrancy__from_a_token__is_refused() public {
        TrickToken trick = new TrickToken();
        quoter.setPrice(address(trick), 1, 1);
        uint256 held = invested(ALICE, 1000 * UNIT);
        vm.prank(ADMIN);
        vault.setPayoutToken(address(trick), true);
        redeem(ALICE, held / 2);
        trick.mint(CUSTODIAN, 1000);
        vm.prank(CUSTODIAN);
        vault.deliver(2, address(trick), 99);
        runEpoch();
        vm.prank(ALICE);
        vault.setOperator(address(trick), true);
        trick.callBack(abi.encodeCall(vault.claimRedemptionOf, (2, 0, ALICE, address(trick))));
        claimUnits(ALICE, 2);
        vm.assertEq(
            bytes32(trick.answer()), bytes32(bytes4(keccak256("ReentrancyGuardReentrantCall()"))), "no second entry"
        );
    }

    /// @dev Whoever deposits before a jump that he knows of, and leaves after it, wins nothing: his price is the one
    /// after.
    function testFuzz_known_jump__deposit_before_and_redeem_after__wins_nothing(uint256 amount, uint256 jump) public {
        invested(ALICE, 1_000_000 * UNIT);
        amount = Model.pick(amount, UNIT, 1_000_000 * UNIT);
        uint256 epoch = deposit(BOB, amount);
        profit(Model.pick(jump, 0, 90_000 * UNIT));
        runEpoch();
        uint256 bought = claim(BOB, epoch);
        uint256 left = redeem(BOB, bought);
        vm.prank(CUSTODIAN);
        vault.deployIdle(address(token), amount);
        runEpoch();
        vm.assertTrue(claimUnits(BOB, left) <= amount, "no more than was paid in");
    }

    function test_everybody_leaves__and_a_new_investor_begins_at_par() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        profit(100 * UNIT);
        redeem(ALICE, held);
        runEpoch();
        uint256 fees = shares.balanceOf(FEES);
        redeem(FEES, fees);
        FeeTerms memory none;
        vm.prank(ADMIN);
        vault.setFeeTerms(none);
        runEpoch();
        redeem(FEES, shares.balanceOf(FEES));
        runEpoch();
        vm.assertEq(shares.totalSupply(), 0, "nobody");
        vm.assertEq(vault.totalAssets(), 0, "nothing");
        later(60);
        postNav();
        uint256 epoch = deposit(BOB, 500 * UNIT);
        runEpoch();
        uint256 bought = claim(BOB, epoch);
        vm.assertTrue(bought >= 500e18 && bought <= 502.5e18, "par, and the dust of those before");
        (uint256 mark,) = vault.feeState();
        vm.assertEq(mark, WAD, "mark");
    }
}
