// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../src/INavRegistry.sol";
import "../src/NavLayout.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract HoldingTest is RegistryTest {
    uint256 private heldAt;

    /// @dev Holds fund 1 for a step of +20 %.
    function holdByStep() private returns (bytes memory held) {
        heldAt = later(60);
        held = record(1, WAD * 12 / 10);
        vm.assertEq(postAt(heldAt, held), REASON_STEP, "held");
    }

    /// @dev Holds fund 1 for the day's drift: +10 %, +10 %, +6 %.
    function holdByDay() private returns (bytes memory held) {
        later(60);
        post(1, WAD * 110 / 100);
        later(60);
        post(1, WAD * 121 / 100);
        heldAt = later(60);
        held = record(1, WAD * 121 * 106 / 10_000);
        vm.assertEq(postAt(heldAt, held), REASON_DAY_DRIFT, "held");
    }

    // ---- the step hold

    function test_hold__after_a_breach__keeps_value_time_and_digest() public {
        bytes memory held = holdByStep();
        (bytes32 digest, uint256 firstReason, uint256 reasons, uint256 since) = registry.heldOf(1);
        vm.assertEq(digest, keccak256(abi.encodePacked(header(heldAt), held, REASON_STEP)), "digest");
        vm.assertEq(firstReason, REASON_STEP, "first reason");
        vm.assertEq(reasons, REASON_STEP, "reasons");
        vm.assertEq(since, block.timestamp, "since");
        vm.assertEq(ppsOf(1), WAD, "value");
        vm.assertEq(timeOf(1), NOON, "time");
        vm.assertEq(statusOf(1), STATUS_LIVE | STATUS_HELD | STATUS_ESTIMATED, "status");
    }

    function test_step_hold__then_a_post_within_bounds__is_cleared() public {
        holdByStep();
        later(60);
        vm.assertEq(post(1, WAD * 105 / 100), 0, "stored");
        vm.assertEq(ppsOf(1), WAD * 105 / 100, "value");
        vm.assertTrue(!isHeld(1), "free");
        (bytes32 digest, uint256 firstReason, uint256 reasons, uint256 since) = registry.heldOf(1);
        vm.assertEq(uint256(digest) | firstReason | reasons | since, 0, "forgotten");
    }

    function test_step_hold__then_another_breach__keeps_the_first_record_and_adds_the_reason() public {
        bytes memory held = holdByStep();
        later(60);
        vm.assertEq(post(1, 0), REASON_ZERO_PPS, "second breach");
        (bytes32 digest, uint256 firstReason, uint256 reasons, uint256 since) = registry.heldOf(1);
        vm.assertEq(digest, keccak256(abi.encodePacked(header(heldAt), held, REASON_STEP)), "first record");
        vm.assertEq(firstReason, REASON_STEP, "first reason");
        vm.assertEq(reasons, REASON_STEP | REASON_ZERO_PPS, "both reasons");
        vm.assertEq(since, heldAt, "since the first");
        later(60);
        vm.assertEq(post(1, WAD), REASON_HELD | REASON_STEP | REASON_ZERO_PPS, "no longer cleared by a post");
    }

    function test_step_hold__then_a_post_too_early__stays() public {
        vm.warp(NOON + 30);
        vm.assertEq(post(1, 2 * WAD), REASON_TOO_EARLY, "early breach is ignored");
        vm.assertTrue(!isHeld(1), "free");
        holdByStep();
        vm.assertEq(postAt(NOON + 59, record(1, WAD)), REASON_TOO_EARLY, "early post");
        vm.assertTrue(isHeld(1), "held");
    }

    function test_day_hold__then_a_post_within_bounds__needs_risk_even_the_next_day() public {
        holdByDay();
        vm.warp(NOON + 1 days);
        vm.assertEq(post(1, WAD * 121 / 100), REASON_HELD | REASON_DAY_DRIFT, "ignored");
        vm.assertEq(timeOf(1), NOON + 120, "old time");
    }

    // ---- accept and discard

    function test_accept__the_held_record__serves_it_with_its_time_and_no_drift() public {
        bytes memory held = holdByDay();
        later(1 hours);
        vm.prank(RISK);
        registry.accept(1, header(heldAt), held);
        vm.assertEq(ppsOf(1), WAD * 121 * 106 / 10_000, "value");
        vm.assertEq(timeOf(1), heldAt, "its own time");
        vm.assertEq(driftOf(1), 0, "drift");
        vm.assertEq(statusOf(1), STATUS_LIVE, "status");
        vm.assertEq(reasonsOf(1), 0, "free");
        vm.assertEq(post(1, WAD * 121 * 106 / 10_000 * 109 / 100), 0, "posting goes on from there");
    }

    function test_accept__anything_but_the_held_record__reverts() public {
        bytes memory held = holdByStep();
        vm.startPrank(RISK);
        bytes memory mismatch = abi.encodeWithSelector(INavRegistry.RecordMismatch.selector, 1);
        vm.expectRevert(mismatch);
        registry.accept(1, header(heldAt + 1), held);
        vm.expectRevert(mismatch);
        registry.accept(1, header(heldAt), record(1, WAD * 12 / 10 + 1));
        vm.expectRevert(mismatch);
        registry.accept(1, header(heldAt), "");
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.NotHeld.selector, 2));
        registry.accept(2, header(heldAt), held);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownFund.selector, 99));
        registry.accept(99, header(heldAt), held);
        registry.accept(1, header(heldAt), held);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.NotHeld.selector, 1));
        registry.accept(1, header(heldAt), held);
        vm.stopPrank();
    }

    function test_accept__pps_zero__reverts_and_discard_frees() public {
        later(60);
        post(1, 0);
        vm.startPrank(RISK);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.ZeroPps.selector));
        registry.accept(1, header(block.timestamp), record(1, 0));
        registry.discard(1);
        vm.stopPrank();
        vm.assertTrue(!isHeld(1), "free");
        vm.assertEq(ppsOf(1), WAD, "value");
        vm.assertEq(post(1, WAD), 0, "posting goes on");
    }

    function test_discard__after_a_day_hold__keeps_the_drift() public {
        holdByDay();
        vm.prank(RISK);
        registry.discard(1);
        vm.assertEq(driftOf(1), 20_000, "drift");
        later(60);
        vm.assertEq(post(1, WAD * 121 * 106 / 10_000), REASON_DAY_DRIFT, "held again");
    }

    function test_discard__nothing_held__reverts() public {
        vm.startPrank(RISK);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.NotHeld.selector, 1));
        registry.discard(1);
        vm.stopPrank();
    }

    function test_accept__closed_fund__reverts() public {
        bytes memory held = holdByStep();
        vm.prank(ADMIN);
        registry.closeFund(1);
        vm.prank(RISK);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsClosed.selector, 1));
        registry.accept(1, header(heldAt), held);
    }

    // ---- the guardian

    function test_guardian_hold__until_risk_releases__stores_nothing() public {
        holdByGuardian(1);
        later(60);
        vm.assertEq(post(1, WAD + 1), REASON_HELD | REASON_GUARDIAN, "ignored");
        vm.assertEq(timeOf(1), NOON, "old time");
        holdByGuardian(1);
        vm.assertEq(reasonsOf(1), REASON_GUARDIAN, "repeating changes nothing");
        vm.prank(RISK);
        registry.release(one(1));
        vm.assertEq(post(1, WAD + 1), 0, "stored");
    }

    function test_guardian_and_step_hold__end_one_by_one() public {
        bytes memory held = holdByStep();
        holdByGuardian(1);
        later(60);
        vm.assertEq(post(1, WAD), REASON_HELD | REASON_STEP | REASON_GUARDIAN, "a post clears nothing");
        vm.startPrank(RISK);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.GuardianHold.selector, 1));
        registry.accept(1, header(heldAt), held);
        registry.release(one(1));
        vm.assertTrue(isHeld(1), "still held by the record");
        vm.assertEq(reasonsOf(1), REASON_STEP, "reason left");
        registry.accept(1, header(heldAt), held);
        vm.stopPrank();
        vm.assertTrue(!isHeld(1), "free");
    }

    function test_guardian_hold__then_a_breach__keeps_its_record_for_risk() public {
        holdByGuardian(1);
        bytes memory held = holdByStep();
        vm.startPrank(RISK);
        registry.discard(1);
        vm.assertEq(reasonsOf(1), REASON_GUARDIAN, "guardian's hold stays");
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.NotHeld.selector, 1));
        registry.accept(1, header(heldAt), held);
        registry.release(one(1));
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.NotHeld.selector, 1));
        registry.release(one(1));
        vm.stopPrank();
        vm.assertTrue(!isHeld(1), "free");
    }

    function test_hold__unknown_fund__reverts() public {
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownFund.selector, 99));
        registry.hold(one(99));
    }

    // ---- pause

    function test_pause__by_guardian__stops_posting_and_only_risk_resumes() public {
        vm.prank(GUARDIAN);
        registry.setPaused(true);
        later(60);
        vm.startPrank(POSTER);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.Paused.selector));
        registry.post(header(block.timestamp), 0, record(1, WAD));
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.Paused.selector));
        registry.postOne(block.timestamp, 0);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.Paused.selector));
        registry.preview(header(block.timestamp), record(1, WAD));
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.Unauthorized.selector, GUARDIAN));
        registry.setPaused(false);
        vm.prank(RISK);
        registry.setPaused(false);
        vm.assertEq(post(1, WAD), 0, "resumed");
    }

    // ---- closing and reopening

    function test_reopen__held_fund__reverts_until_risk_has_decided() public {
        holdByStep();
        vm.startPrank(ADMIN);
        registry.closeFund(1);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsHeld.selector, 1));
        registry.reopenFund(1, WAD, WAD, block.timestamp);
        vm.stopPrank();
        vm.prank(RISK);
        registry.discard(1);
        vm.startPrank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadOpening.selector));
        registry.reopenFund(1, WAD, WAD, NOON);
        registry.reopenFund(1, 7 * WAD, 3 * WAD, block.timestamp);
        vm.stopPrank();
        vm.assertEq(ppsOf(1), 3 * WAD, "first value");
        vm.assertEq(statusOf(1), STATUS_LIVE | STATUS_ESTIMATED, "status");
    }
}
