// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../../src/INavRegistry.sol";
import {IFundVaultEvents} from "../../src/vault/IFundVaultEvents.sol";
import "../../src/vault/VaultTypes.sol";
import {VaultTest} from "./support/VaultTest.sol";

contract VaultSettlementTest is VaultTest {
    function test_first_deposit__settled__is_minted_one_for_one() public {
        uint256 epoch = deposit(ALICE, 1000 * UNIT);
        vm.assertEq(epoch, 1, "the request is in the first epoch");
        vm.assertEq(vault.pendingDepositRequest(epoch, ALICE), 1000 * UNIT, "pending");
        runEpoch();
        vm.assertEq(vault.pendingDepositRequest(epoch, ALICE), 0, "nothing pending");
        vm.assertEq(vault.claimableDepositRequest(epoch, ALICE), 1000 * UNIT, "claimable");
        vm.assertEq(claim(ALICE, epoch), 1000e18, "shares");
        vm.assertEq(shares.balanceOf(ALICE), 1000e18, "balance");
        vm.assertEq(vault.idleOf(address(token)), 1000 * UNIT, "idle");
        (uint256 mark,) = vault.feeState();
        vm.assertEq(mark, WAD, "mark");
    }

    function test_later_deposit__after_a_profit__buys_fewer_shares_and_moves_no_price() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        profit(50 * UNIT);
        deposit(BOB, 500 * UNIT);
        waitForSettlement();
        uint256 before = netValue(block.timestamp);
        uint256 supply = shares.totalSupply();
        postNav();
        settle();
        uint256 bought = claim(BOB, 2);
        vm.assertTrue(bought * before <= 500e18 * supply, "no more than was paid");
        vm.assertTrue((bought + 1e9) * before >= 500e18 * supply, "no less, but for dust");
        vm.assertTrue(grossValue() * supply >= before * shares.totalSupply(), "the price did not fall");
        vm.assertEq(shares.balanceOf(ALICE), held, "nobody else's shares changed");
    }

    function test_redemption__settled__is_paid_from_delivered_units_at_the_posted_price() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        uint256 epoch = redeem(ALICE, held / 2);
        waitForSettlement();
        deliverDue();
        postNav();
        (, uint256 pps,,,) = registry.read(FUND);
        settle();
        uint256 fee = held / 2 / 1000;
        vm.assertTrue(shares.balanceOf(FEES) >= fee, "the withdrawal fee stays as shares");
        uint256 part = (held / 2 - fee) * pps / WAD;
        uint256 paid = claimUnits(ALICE, epoch);
        vm.assertTrue(paid * SCALE <= part && (paid + 1) * SCALE > part, "the part, rounded down");
        vm.assertEq(vault.claimableRedeemRequest(epoch, ALICE), 0, "claimed");
        FlowTotals memory flows = vault.flowTotals();
        vm.assertEq(flows.burnedShares, held / 2 - fee, "burned");
        vm.assertEq(flows.withdrawalFeeShares, fee, "fee");
        vm.assertEq(flows.redeemedValue, part, "redeemed value");
        vm.assertEq(shares.totalSupply(), flows.mintedShares + flows.feeShares - flows.burnedShares, "supply");
    }

    function test_delivery__too_much__returns_to_idle() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        redeem(ALICE, held / 2);
        vm.prank(CUSTODIAN);
        vault.deliver(2, address(token), 900 * UNIT);
        runEpoch();
        (, uint256[] memory amounts) = vault.payoutsOf(2);
        vm.assertEq(vault.idleOf(address(token)), 900 * UNIT - amounts[0], "the rest");
        vm.assertTrue(amounts[0] < 500 * UNIT, "not more than the part");
    }

    function test_delivery__in_kind__is_valued_by_the_quoter_and_paid_pro_rata() public {
        vm.prank(ADMIN);
        vault.setPayoutToken(address(gold), true);
        uint256 held = invested(ALICE, 4000 * UNIT);
        redeem(ALICE, held / 2);
        gold.mint(CUSTODIAN, 1e8);
        vm.startPrank(CUSTODIAN);
        token.transfer(address(0xdead), 2000 * UNIT); // bought the gold
        vault.deliver(2, address(gold), 1e8);
        vault.deliver(2, address(token), 2000 * UNIT);
        vm.stopPrank();
        waitForSettlement();
        postNav();
        settle();
        (address[] memory tokens, uint256[] memory amounts) = vault.payoutsOf(2);
        vm.assertEq(tokens.length, 2, "two tokens");
        uint256 worth = amounts[0] + quoter.getQuote(amounts[1], address(gold), address(token));
        uint256 part = vault.flowTotals().redeemedValue;
        vm.assertTrue(worth * SCALE <= part && (worth + 4) * SCALE > part, "the part");
        uint256 index = tokens[0] == address(gold) ? 0 : 1;
        vm.prank(ALICE);
        vault.claimRedemptionOf(2, index, ALICE, BOB);
        vm.assertEq(gold.balanceOf(BOB), amounts[index], "gold");
        claimUnits(ALICE, 2);
        vm.assertEq(token.balanceOf(ALICE), amounts[1 - index], "the other token, once");
        refused(
            ALICE,
            abi.encodeCall(vault.claimRedemption, (2, ALICE, ALICE)),
            IFundVaultEvents.NothingToClaim.selector,
            "again"
        );
    }

    function test_settle__at_the_tolerance_of_the_delivery__and_a_unit_under() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        redeem(ALICE, held);
        waitForSettlement();
        postNav();
        (, uint256 pps,,,) = registry.read(FUND);
        uint256 part = (held - held / 1000) * pps / WAD;
        uint256 least = (part * 9950 + 10_000 * SCALE - 1) / (10_000 * SCALE);
        vm.prank(CUSTODIAN);
        vault.deliver(2, address(token), least - 1);
        refusedSettlement(IFundVaultEvents.DeliveryTooSmall.selector, "a unit under");
        vm.prank(CUSTODIAN);
        vault.deliver(2, address(token), 1);
        settle();
        vm.assertEq(claimUnits(ALICE, 2), least, "all that was delivered");
    }

    function test_settle__at_the_tolerance_of_the_delta__and_a_wei_beyond() public {
        deposit(ALICE, 1000 * UNIT);
        waitForSettlement();
        postNav(-5e18 - 1);
        refusedSettlement(IFundVaultEvents.DeltaTooSmall.selector, "a wei under");
        later(60);
        postNav(-5e18);
        settle();
        vm.assertEq(claim(ALICE, 1), 995e18, "minted for what the NAV shows");
    }

    function test_delta__above_the_tolerance__is_minted_for_the_tolerance_only() public {
        deposit(ALICE, 1000 * UNIT);
        waitForSettlement();
        postNav(500e18);
        settle();
        vm.assertEq(claim(ALICE, 1), 1005e18, "not for the surplus");
    }

    function test_settle__without_a_delta__is_refused() public {
        invested(BOB, 1000 * UNIT);
        deposit(ALICE, 1000 * UNIT);
        waitForSettlement();
        postNav(-1000e18);
        refusedSettlement(IFundVaultEvents.DeltaTooSmall.selector, "no delta");
    }

    function test_settle__too_early_or_on_an_old_post__is_refused() public {
        deposit(ALICE, 1000 * UNIT);
        SettlementState memory state = vault.settlement();
        vm.warp(state.closesAt - 1);
        postNav();
        vm.warp(state.settleableAt - 1);
        refusedSettlement(IFundVaultEvents.TooEarly.selector, "a second early");
        vm.warp(state.settleableAt);
        refusedSettlement(INavRegistry.FundIsStale.selector, "stale");
    }

    function test_settle__on_a_post_from_before_the_closing__is_refused() public {
        deposit(ALICE, 1000 * UNIT);
        SettlementState memory state = vault.settlement();
        vm.warp(state.closesAt - 1);
        postNav();
        vm.prank(ADMIN);
        registry.setProfile(0, bounds(1000, 1000, 2500, 60, 7200));
        vm.warp(state.settleableAt);
        refusedSettlement(IFundVaultEvents.PostTooOld.selector, "a second before the closing");
        vm.warp(state.closesAt + 59);
        postNav();
        vm.warp(state.settleableAt);
        settle();
    }

    function test_requests__from_the_closing_on__join_the_next_epoch_and_no_settlement_before() public {
        vm.warp(vault.settlement().closesAt - 1);
        postNav();
        vm.assertEq(deposit(ALICE, 1000 * UNIT), 1, "a second before");
        later(1);
        vm.assertEq(deposit(BOB, 700 * UNIT), 2, "at the closing");
        SettlementState memory state = vault.settlement();
        vm.assertEq(state.depositAssets, 1000 * UNIT, "this epoch");
        vm.assertEq(state.nextDepositAssets, 700 * UNIT, "next epoch");
        runEpoch();
        vm.assertEq(claim(ALICE, 1), 1000e18, "alice");
        refused(BOB, abi.encodeCall(vault.claimDeposit, (2, BOB, BOB)), IFundVaultEvents.NothingToClaim.selector, "bob");
        vm.assertTrue(vault.settlement().closesAt > block.timestamp, "the next closing lies ahead");
        postOnceMore();
        refusedSettlement(IFundVaultEvents.TooEarly.selector, "one settlement per epoch length");
    }

    function postOnceMore() private {
        later(60);
        postNav();
    }

    function test_settle__on_a_doubtful_post__is_refused() public {
        deposit(ALICE, 1000 * UNIT);
        waitForSettlement();
        postAt(block.timestamp, record(FUND, 1000e18, WAD, 95, true));
        refusedSettlement(INavRegistry.FundIsEstimated.selector, "estimated");
        later(60);
        postAt(block.timestamp, record(FUND, 1000e18, WAD, 79, false));
        refusedSettlement(IFundVaultEvents.LowConfidence.selector, "confidence");
        later(60);
        postAt(block.timestamp, record(FUND, 1000e18, WAD, 80, false));
        holdByGuardian(FUND);
        refusedSettlement(INavRegistry.FundIsHeld.selector, "held");
        vm.prank(RISK);
        registry.release(one(FUND));
        vm.prank(GUARDIAN);
        registry.setPaused(true);
        refusedSettlement(INavRegistry.Paused.selector, "paused");
        vm.prank(RISK);
        registry.setPaused(false);
        settle();
    }

    function test_settle__without_shares_at_another_price__is_refused() public {
        deposit(ALICE, 1000 * UNIT);
        waitForSettlement();
        postAt(block.timestamp, record(FUND, 1000e18, WAD + 1, 95, false));
        refusedSettlement(IFundVaultEvents.SharePriceNotPar.selector, "first price");
    }

    function test_settle__under_the_minimum_share_price__is_refused() public {
        invested(ALICE, 1000 * UNIT);
        Limits memory limits = usualLimits();
        limits.minSharePrice = 1e18;
        vm.prank(ADMIN);
        vault.setLimits(limits);
        token.burn(CUSTODIAN, 10 * UNIT);
        waitForSettlement();
        postNav();
        refusedSettlement(IFundVaultEvents.SharePriceTooLow.selector, "minimum");
    }

    function test_breakdown__that_does_not_add_up__is_refused_and_else_stored() public {
        deposit(ALICE, 1000 * UNIT);
        waitForSettlement();
        postNav();
        uint104[5] memory parts = [uint104(800e18), 500e18, 3e18, 300e18, 3e18];
        parts[2] += 1;
        refused(KEEPER, abi.encodeCall(vault.settle, (1, parts)), IFundVaultEvents.WrongBreakdown.selector, "sum");
        parts[2] -= 1;
        vm.prank(KEEPER);
        vault.settle(1, parts);
        Breakdown memory stored = vault.breakdown();
        bool right = stored.cash == parts[0] && stored.collateral == parts[1] && stored.income == parts[2];
        vm.assertTrue(right && stored.debt == parts[3] && stored.liabilities == parts[4], "stored");
        vm.assertEq(stored.epoch, 1, "epoch");
        vm.assertEq(stored.valuationTs, timeOf(FUND), "time");
    }

    function test_empty_epoch__settles__for_the_fees() public {
        invested(ALICE, 1000 * UNIT);
        uint256 before = shares.balanceOf(FEES);
        runEpoch();
        vm.assertTrue(shares.balanceOf(FEES) > before, "management fee");
    }

    function test_settlement__late__keeps_the_rhythm() public {
        uint256 closesAt = vault.settlement().closesAt;
        vm.warp(closesAt + 3 * EPOCH_LENGTH + 5);
        postNav();
        settle();
        vm.assertEq(vault.settlement().closesAt, closesAt + 4 * EPOCH_LENGTH, "closing");
    }

    function test_fee_clock__after_a_settlement__stands_at_the_valuation() public {
        invested(ALICE, 1000 * UNIT);
        waitForSettlement();
        postNav();
        later(10 minutes);
        settle();
        (, uint256 clock) = vault.feeState();
        vm.assertEq(clock, block.timestamp - 10 minutes, "not at the settlement");
    }

    function test_withdrawal_fee__of_one_share_unit__is_rounded_up() public {
        invested(ALICE, 1000 * UNIT);
        redeem(ALICE, 1001);
        runEpoch();
        vm.assertEq(vault.flowTotals().withdrawalFeeShares, 2, "a thousandth and a little");
        vm.assertEq(vault.flowTotals().burnedShares, 999, "burned");
    }

    /// @dev Three units of the token are worth one of the asset, so that quotes hide what they round away.
    function testFuzz_delivery__in_units_finer_than_the_asset__never_pays_more_than_the_part(uint256 seed) public {
        vm.prank(ADMIN);
        vault.setPayoutToken(address(gold), true);
        quoter.setPrice(address(gold), 1, 3);
        invested(ALICE, 1000 * UNIT);
        redeem(ALICE, 1e13 + seed % 1e16);
        waitForSettlement();
        postNav();
        uint256 due = vault.settlement().redeemShares * ppsOf(FUND) / WAD / SCALE;
        gold.mint(CUSTODIAN, 3 * due + 5);
        vm.prank(CUSTODIAN);
        vault.deliver(2, address(gold), 3 * due + 5);
        settle();
        (, uint256[] memory amounts) = vault.payoutsOf(2);
        vm.assertTrue(amounts[0] * SCALE <= vault.flowTotals().redeemedValue * 3, "the part, by the true price");
    }
}
