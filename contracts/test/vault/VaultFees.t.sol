// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import "../../src/vault/VaultTypes.sol";
import {Model} from "../support/Model.sol";
import {FeeModel} from "./support/FeeModel.sol";
import {VaultTest} from "./support/VaultTest.sol";

contract VaultFeesTest is VaultTest {
    function usingTerms(FeeTerms memory next) private {
        vm.prank(ADMIN);
        vault.setFeeTerms(next);
        runEpoch();
    }

    function randomTerms(uint256 seed) private pure returns (FeeTerms memory next) {
        next.managementRate = uint64(Model.pick(Model.hash(seed, 1), 0, 0.1e18));
        next.performanceRate = uint64(Model.pick(Model.hash(seed, 2), 0, 0.5e18));
        next.capBps = 1000;
    }

    function testFuzz_fees__of_any_gross__are_the_keepers_within_dust_and_never_more(
        uint256 seed,
        uint256 gross,
        uint256 elapsed
    ) public {
        invested(ALICE, 1_000_000 * UNIT);
        usingTerms(randomTerms(seed));
        uint256 supply = shares.totalSupply();
        gross = Model.pick(gross, supply / 2, supply * 2);
        (FeeTerms memory current,) = vault.feeTerms();
        (uint256 mark, uint256 clock) = vault.feeState();
        elapsed = Model.pick(elapsed, 0, 365 days);
        (uint256 management, uint256 performance) = FeeModel.payable_(current, gross, supply, mark, elapsed);
        uint256 pps = (gross - management - performance) * WAD / supply;
        (uint256 m, uint256 p, uint256 forgiven, uint256 minted) = vault.feesDue(pps, clock + elapsed);
        uint256 dust = 4 * (supply / WAD + 1);
        vm.assertTrue(m <= management && m + dust >= management, "management");
        vm.assertTrue(p <= performance && p + dust >= performance, "performance");
        uint256 cap = supply * pps / WAD / 10;
        vm.assertEq(forgiven, m + p > cap ? m + p - cap : 0, "forgiven");
        vm.assertTrue(minted * (pps + 1) <= (m + p - forgiven) * WAD, "shares worth no more than the fees");
        vm.assertTrue((minted + 1) * (pps + 1) > (m + p - forgiven) * WAD, "shares worth no less");
    }

    function test_performance_fee__above_the_mark__is_minted_and_the_mark_moves() public {
        usingTerms(FeeTerms({managementRate: 0, performanceRate: 0.2e18, withdrawalRate: 0, capBps: 1000}));
        invested(ALICE, 1000 * UNIT);
        profit(100 * UNIT);
        runEpoch();
        (uint256 mark,) = vault.feeState();
        vm.assertEq(mark, 1.08e18, "the mark is the price net of fees");
        uint256 fee = shares.balanceOf(FEES) * mark / WAD;
        vm.assertTrue(fee <= 20e18 && fee + 1e6 > 20e18, "a fifth of the gain");
        token.burn(CUSTODIAN, 50 * UNIT);
        runEpoch();
        profit(50 * UNIT);
        uint256 before = shares.balanceOf(FEES);
        runEpoch();
        vm.assertEq(shares.balanceOf(FEES), before, "the way back to the mark costs nothing");
    }

    function test_fees__above_the_cap__are_forgiven() public {
        usingTerms(FeeTerms({managementRate: 0, performanceRate: 0.5e18, withdrawalRate: 0, capBps: 100}));
        invested(ALICE, 1000 * UNIT);
        profit(100 * UNIT);
        waitForSettlement();
        postNav();
        (, uint256 performance, uint256 forgiven,) = vault.feesDue(ppsOf(FUND), timeOf(FUND));
        vm.assertEq(performance, 50e18, "half of the gain");
        vm.assertEq(performance - forgiven, 10.5e18, "a hundredth of the net NAV");
        settle();
        uint256 fee = shares.balanceOf(FEES) * ppsOf(FUND) / WAD;
        vm.assertTrue(fee <= 10.5e18 && fee + 1e6 > 10.5e18, "minted");
        runEpoch();
        vm.assertTrue(ppsOf(FUND) > 1.05e18, "the holders have the rest");
    }

    function test_fee_terms__changed__hold_from_the_next_settlement_on() public {
        invested(ALICE, 1000 * UNIT);
        uint256 fees = shares.balanceOf(FEES);
        FeeTerms memory next = FeeTerms({managementRate: 0, performanceRate: 0, withdrawalRate: 0, capBps: 100});
        vm.prank(ADMIN);
        vault.setFeeTerms(next);
        (FeeTerms memory current, FeeTerms memory scheduled) = vault.feeTerms();
        vm.assertEq(current.managementRate, 0.02e18, "still");
        vm.assertEq(scheduled.capBps, 100, "scheduled");
        runEpoch();
        vm.assertTrue(shares.balanceOf(FEES) > fees, "the time that has passed costs what it did");
        fees = shares.balanceOf(FEES);
        runEpoch();
        vm.assertEq(shares.balanceOf(FEES), fees, "then nothing");
    }

    function test_management_fee__of_more_than_a_year__is_that_of_a_year() public {
        invested(ALICE, 1000 * UNIT);
        (, uint256 clock) = vault.feeState();
        (uint256 year,,,) = vault.feesDue(WAD, clock + 365 days);
        (uint256 more,,,) = vault.feesDue(WAD, clock + 3650 days);
        vm.assertEq(year, more, "management");
    }
}
