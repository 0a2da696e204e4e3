// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../src/INavRegistry.sol";
import "../src/NavLayout.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Vm} from "./support/Vm.sol";

contract PostingTest is RegistryTest {
    uint256 private constant NAV = 0x123456789abcdef0123456;
    uint256 private constant PPS = 1_012_345_678_901_234_567;

    // ---- what is stored and said

    function test_post__within_bounds__stores_every_field_and_logs_the_payload() public {
        uint256 valuationTs = later(60);
        bytes memory records = bytes.concat(record(1, NAV, PPS, 97, true), record(2, WAD));
        vm.recordLogs();
        vm.prank(POSTER);
        uint256 refused = registry.post(header(valuationTs), keccak256("root"), records);
        Vm.Log[] memory logs = vm.getRecordedLogs();

        vm.assertEq(refused, 0, "refused");
        (uint256 nav, uint256 pps, uint256 ts, uint256 confidence, uint256 status) = registry.read(1);
        vm.assertEq(nav, NAV, "nav");
        vm.assertEq(pps, PPS, "pps");
        vm.assertEq(ts, valuationTs, "time");
        vm.assertEq(confidence, 97, "confidence");
        vm.assertEq(status, STATUS_LIVE | STATUS_ESTIMATED, "status");
        vm.assertEq(driftOf(1), 1235, "123.45678.. bps rounded up to tenths");
        vm.assertEq(logs.length, 1, "one event");
        vm.assertEq(logs[0].topics[0], INavRegistry.NavBatch.selector, "event");
        vm.assertEq(uint256(logs[0].topics[1]), header(valuationTs), "header");
        vm.assertEq(logs[0].topics[2], keccak256("root"), "root");
        vm.assertEq(abi.decode(logs[0].data, (bytes)), records, "payload");
    }

    function test_post__each_record_size__stores_the_same_fund_word() public {
        uint8[4] memory sizes = [27, 40, 92, 105];
        bytes memory tail = abi.encodePacked(uint104(1), uint104(2), uint104(3), uint104(4), uint104(5), uint104(6));
        for (uint256 i; i < sizes.length; ++i) {
            uint256 size = sizes[i];
            bytes memory records;
            for (uint256 fundId = 1; fundId <= FUNDS; ++fundId) {
                bytes memory whole = bytes.concat(record(fundId, NAV + i, WAD + i, 50, false), tail);
                assembly {
                    mstore(whole, size)
                }
                records = bytes.concat(records, whole);
            }
            uint256 valuationTs = later(60);
            vm.prank(POSTER);
            vm.assertEq(registry.post((valuationTs << 16) | size, 0, records), 0, "refused");
            for (uint256 fundId = 1; fundId <= FUNDS; ++fundId) {
                (uint256 nav, uint256 pps,, uint256 confidence,) = registry.read(fundId);
                vm.assertEq(nav, NAV + i, "nav");
                vm.assertEq(pps, WAD + i, "pps");
                vm.assertEq(confidence, 50, "confidence");
            }
        }
    }

    function test_postOne__within_bounds__stores_what_post_would() public {
        uint256 valuationTs = later(60);
        uint256 word = (1 << 232) | (NAV << 128) | (PPS << 40) | (uint256(0x80 | 97) << 32) | valuationTs;
        vm.recordLogs();
        vm.startPrank(POSTER);
        registry.postOne(word, keccak256("evidence"));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        registry.post(header(valuationTs), 0, record(2, NAV, PPS, 97, true));
        vm.stopPrank();
        vm.assertEq(registry.readRaw(1), registry.readRaw(2), "word");
        vm.assertEq(logs.length, 1, "one event");
        vm.assertEq(logs[0].topics.length, 1, "nothing indexed");
        vm.assertEq(logs[0].topics[0], INavRegistry.NavPosted.selector, "event");
        vm.assertEq(abi.decode(logs[0].data, (uint256)), word, "word in the event");
    }

    function test_postOne__out_of_bounds__holds_with_the_digest_of_the_same_record() public {
        uint256 valuationTs = later(60);
        uint256 pps = 2 * WAD;
        vm.prank(POSTER);
        registry.postOne((1 << 232) | (NAV << 128) | (pps << 40) | (uint256(95) << 32) | valuationTs, 0);
        vm.assertTrue(isHeld(1), "held");
        vm.prank(RISK);
        registry.accept(1, header(valuationTs), record(1, NAV, pps, 95, false));
        vm.assertEq(ppsOf(1), pps, "accepted");
    }

    // ---- bounds

    function test_post__step_exactly_at_a_bound__is_stored_and_a_wei_beyond_is_held() public {
        later(60);
        vm.assertEq(post(1, WAD * 11 / 10), 0, "up");
        vm.assertEq(post(2, WAD * 9 / 10), 0, "down");
        vm.assertEq(post(3, WAD * 11 / 10 + 1), REASON_STEP, "a wei above");
        vm.assertEq(post(4, WAD * 9 / 10 - 1), REASON_STEP, "a wei below");
        vm.assertEq(ppsOf(3), WAD, "old value above");
        vm.assertEq(ppsOf(4), WAD, "old value below");
        vm.assertEq(timeOf(3), NOON, "old time");
    }

    function test_post__smallest_step__counts_a_whole_tenth_of_a_bps_away_from_zero() public {
        later(60);
        post(1, WAD + 1);
        post(2, WAD - 1);
        post(3, WAD);
        vm.assertEq(driftOf(1), 1, "up");
        vm.assertEq(driftOf(2), -1, "down");
        vm.assertEq(driftOf(3), 0, "none");
    }

    function test_post__a_walk_within_one_day__is_held_where_its_sum_passes_the_bound() public {
        uint256 pps = WAD;
        for (uint256 i; i < 2; ++i) {
            later(60);
            pps = pps * 110 / 100;
            vm.assertEq(post(1, pps), 0, "walk");
        }
        later(60);
        vm.assertEq(post(1, pps * 105 / 100 + 1), REASON_DAY_DRIFT, "a wei beyond 25 %");
        vm.assertEq(ppsOf(1), pps, "served");
        vm.assertEq(driftOf(1), 20_000, "drift stays");
    }

    function test_post__a_walk_to_the_day_bound_and_back__is_stored() public {
        later(60);
        post(1, WAD * 110 / 100);
        later(60);
        post(1, WAD * 121 / 100);
        later(60);
        vm.assertEq(post(1, WAD * 121 * 105 / 10_000), 0, "exactly 25 %");
        vm.assertEq(driftOf(1), 25_000, "at the bound");
        later(60);
        vm.assertEq(post(1, WAD * 121 / 100), 0, "back");
        vm.assertTrue(driftOf(1) < 25_000, "signed sum");
    }

    function test_post__on_the_next_utc_day__starts_the_sum_anew() public {
        vm.warp(NOON + 12 hours - 60);
        post(1, WAD * 110 / 100);
        vm.assertEq(driftOf(1), 10_000, "last minute of the day");
        later(60);
        post(1, WAD * 121 / 100);
        vm.assertEq(driftOf(1), 10_000, "first second of the next");
    }

    function test_post__step_and_day_broken_at_once__gives_both_reasons() public {
        later(60);
        vm.assertEq(post(1, 2 * WAD), REASON_STEP | REASON_DAY_DRIFT, "both");
    }

    function test_post__pps_zero__holds_with_its_own_reason() public {
        later(60);
        vm.assertEq(post(1, 0), REASON_ZERO_PPS, "zero");
        vm.assertEq(ppsOf(1), WAD, "served");
        vm.assertTrue(isHeld(1), "held");
    }

    // ---- records that are ignored

    function test_post__too_early_repeated_or_older__is_ignored_and_holds_nothing() public {
        later(60);
        post(1, WAD + 1);
        uint256 word = registry.readRaw(1);
        vm.assertEq(post(1, 5 * WAD), REASON_NOT_NEWER, "repeated, whatever the price");
        vm.assertEq(postAt(block.timestamp - 1, record(1, WAD)), REASON_NOT_NEWER, "older");
        later(59);
        vm.assertEq(post(1, WAD), REASON_TOO_EARLY, "a second early");
        vm.assertEq(registry.readRaw(1), word, "nothing changed");
        later(1);
        vm.assertEq(post(1, WAD), 0, "on time");
    }

    function test_post__unknown_or_closed_fund__is_ignored() public {
        later(60);
        vm.prank(ADMIN);
        registry.closeFund(1);
        uint256 word = registry.readRaw(1);
        vm.assertEq(post(1, WAD), REASON_NOT_LIVE, "closed");
        vm.assertEq(post(FUNDS + 1, WAD), REASON_NOT_LIVE, "unknown");
        vm.assertEq(post(65_535, 0), REASON_NOT_LIVE, "last id");
        vm.assertEq(registry.readRaw(1), word, "closed word stays");
        vm.assertEq(registry.readRaw(FUNDS + 1), 0, "unknown stays unknown");
    }

    function test_post__confidence_above_hundred__is_ignored() public {
        later(60);
        vm.assertEq(postAt(block.timestamp, record(1, WAD, WAD, 101, false)), REASON_CONFIDENCE, "101 %");
        vm.assertEq(postAt(block.timestamp, record(1, WAD, WAD, 100, true)), 0, "100 %, estimated");
    }

    function test_post__one_bad_record_of_each_kind__never_stops_the_others() public {
        later(60);
        holdByGuardian(4);
        bytes memory records = bytes.concat(
            record(1, 3 * WAD), record(999, WAD), record(2, WAD + 2), record(3, 0), record(4, WAD), record(5, WAD + 5)
        );
        vm.prank(POSTER);
        vm.assertEq(registry.post(header(block.timestamp), 0, records), 4, "refused");
        vm.assertEq(ppsOf(2), WAD + 2, "second");
        vm.assertEq(ppsOf(5), WAD + 5, "fifth");
    }

    // ---- batches that revert

    function test_post__malformed_batch__reverts() public {
        uint256 now_ = later(1000);
        bytes memory good = record(1, WAD);
        vm.startPrank(POSTER);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadLength.selector, 28, 27));
        registry.post((now_ << 16) | 28, 0, good);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadLength.selector, 27, 0));
        registry.post(header(now_), 0, "");
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadLength.selector, 27, 28));
        registry.post(header(now_), 0, bytes.concat(good, hex"00"));
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadHeader.selector));
        registry.post(header(now_) | 0x100, 0, good);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadHeader.selector));
        registry.post(header(now_) | (1 << 48), 0, good);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadHeader.selector));
        registry.postOne((1 << 248) | now_, 0);
        vm.stopPrank();
    }

    function test_post__valuation_time_out_of_its_window__reverts_and_the_edges_pass() public {
        uint256 now_ = later(2000);
        vm.startPrank(POSTER);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FutureHeader.selector, now_ + 1, now_));
        registry.post(header(now_ + 1), 0, record(1, WAD));
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.StaleHeader.selector, now_ - MAX_POST_AGE - 1, now_));
        registry.post(header(now_ - MAX_POST_AGE - 1), 0, record(1, WAD));
        vm.assertEq(registry.post(header(now_ - MAX_POST_AGE), 0, record(1, WAD)), 0, "oldest");
        vm.assertEq(registry.post(header(now_), 0, record(1, WAD)), 0, "newest");
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FutureHeader.selector, now_ + 1, now_));
        registry.postOne(now_ + 1, 0);
        vm.stopPrank();
        vm.assertEq(registry.preview(header(now_ - MAX_POST_AGE), record(2, WAD))[0], 0, "preview, oldest");
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.StaleHeader.selector, now_ - MAX_POST_AGE - 1, now_));
        registry.preview(header(now_ - MAX_POST_AGE - 1), record(2, WAD));
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadHeader.selector));
        registry.preview(header(now_) | 0x100, record(2, WAD));
    }

    // ---- reads

    function test_ppsOrRevert__each_state_that_is_not_fresh_and_live__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsEstimated.selector, 1));
        registry.ppsOrRevert(1);
        later(60);
        post(1, WAD + 1);
        vm.assertEq(registry.ppsOrRevert(1), WAD + 1, "fresh");
        later(3600);
        vm.assertEq(registry.ppsOrRevert(1), WAD + 1, "at maxAge");
        later(1);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsStale.selector, 1, timeOf(1), 3600));
        registry.ppsOrRevert(1);
        post(1, WAD + 1);
        holdByGuardian(1);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsHeld.selector, 1));
        registry.ppsOrRevert(1);
        vm.prank(ADMIN);
        registry.closeFund(1);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsClosed.selector, 1));
        registry.ppsOrRevert(1);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownFund.selector, 77));
        registry.ppsOrRevert(77);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownFund.selector, 65_536));
        registry.readRaw(65_536);
        vm.prank(GUARDIAN);
        registry.setPaused(true);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.Paused.selector));
        registry.ppsOrRevert(2);
    }
}
