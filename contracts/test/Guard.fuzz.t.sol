// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../src/INavRegistry.sol";
import "../src/NavLayout.sol";
import {Model} from "./support/Model.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Vm} from "./support/Vm.sol";

contract GuardFuzzTest is RegistryTest {
    uint256 private constant FUND = 9;

    /// @dev A posted price that is near a bound as often as not.
    function nearby(uint256 served, uint256 seed) private pure returns (uint256 posted) {
        uint256 kind = Model.pick(seed, 0, 4);
        uint256 bps = kind == 0 ? 1000 : Model.pick(seed + 1, 0, 4000);
        uint256 change = served * bps / 10_000;
        if (kind < 4) posted = seed % 2 == 0 ? served + change : served - change;
        else posted = Model.pick(seed + 2, 0, PPS_MASK);
        if (kind == 1) posted += 1;
        if (kind == 2 && posted > 0) posted -= 1;
        if (posted > PPS_MASK) posted = PPS_MASK;
    }

    function testFuzz_post__any_step_under_any_bounds__agrees_with_the_model(
        uint88 served,
        uint256 seed,
        uint16 up,
        uint16 down,
        uint16 day
    ) public {
        uint256 first = Model.pick(served, 1, PPS_MASK);
        INavRegistry.Bounds memory own = bounds(
            uint16(Model.pick(up, 1, MAX_BOUND_BPS)),
            uint16(Model.pick(down, 1, MAX_BOUND_BPS)),
            uint16(Model.pick(day, 1, MAX_BOUND_BPS)),
            60,
            3600
        );
        vm.startPrank(ADMIN);
        registry.setProfile(3, own);
        registry.registerFund(FUND, VAULT, VAULT, seed % 2 == 0 ? 3 : 0, 0, first, NOON);
        if (seed % 2 != 0) registry.setProfile(0, own);
        vm.stopPrank();
        uint256 current = first;
        int256 sum;
        for (uint256 i; i < 4; ++i) {
            later(60);
            uint256 posted = nearby(current, Model.hash(seed, i));
            int256 step = Model.step(current, posted);
            uint256 expected = posted == 0 ? REASON_ZERO_PPS : 0;
            if (expected == 0 && !Model.within(step, own.downBps, own.upBps)) expected |= REASON_STEP;
            if (posted != 0 && !Model.within(sum + step, own.dayBps, own.dayBps)) expected |= REASON_DAY_DRIFT;
            uint256 standing = reasonsOf(FUND);
            if (expected == 0 && standing != 0 && standing != REASON_STEP) expected = REASON_HELD | standing;
            uint256 reason = postAt(block.timestamp, record(FUND, 0, posted, 90, false));
            vm.assertEq(reason, expected, "reason");
            if (expected == 0) (current, sum) = (posted, sum + step);
            vm.assertEq(ppsOf(FUND), current, "served");
            vm.assertEq(driftOf(FUND), sum, "drift");
        }
    }

    function testFuzz_preview__any_batch__says_what_post_then_does(uint256 seed) public {
        vm.startPrank(ADMIN);
        registry.setProfile(3, bounds(50, 3000, 3000, 200, 3600));
        registry.assignProfile(2, 3);
        registry.closeFund(3);
        vm.stopPrank();
        holdByGuardian(4);
        for (uint256 round; round < 3; ++round) {
            uint256 valuationTs = later(Model.pick(Model.hash(seed, round), 30, 300));
            bytes memory records = randomBatch(Model.hash(seed, round));
            uint256[] memory foretold = registry.preview(header(valuationTs), records);
            vm.recordLogs();
            vm.prank(POSTER);
            uint256 refused = registry.post(header(valuationTs), 0, records);
            compare(foretold, refused, vm.getRecordedLogs());
        }
    }

    /// @dev Up to twelve records for eight ids, so that most batches name a fund twice.
    function randomBatch(uint256 seed) private view returns (bytes memory records) {
        uint256 count = Model.pick(seed, 1, 12);
        for (uint256 i; i < count; ++i) {
            uint256 own = Model.hash(seed, i);
            uint256 fundId = Model.pick(own, 0, 7);
            uint256 served = (registry.readRaw(fundId) >> PPS_SHIFT) & PPS_MASK;
            uint256 confidence = Model.pick(own + 1, 0, 9) == 0 ? 127 : 80;
            uint256 pps = nearby(served == 0 ? WAD : served, own);
            records = bytes.concat(records, record(fundId, pps, pps, confidence, own % 5 == 0));
        }
    }

    function compare(uint256[] memory foretold, uint256 refused, Vm.Log[] memory logs) private pure {
        uint256 next;
        for (uint256 i; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic != INavRegistry.NavHeld.selector && topic != INavRegistry.NavRejected.selector) continue;
            while (next < foretold.length && foretold[next] == 0) ++next;
            vm.assertTrue(next < foretold.length, "refused without a word");
            (,, uint256 reason) = abi.decode(logs[i].data, (uint256, uint256, uint256));
            vm.assertEq(foretold[next], reason, "reason");
            ++next;
            --refused;
        }
        while (next < foretold.length) vm.assertEq(foretold[next++], 0, "foretold, not refused");
        vm.assertEq(refused, 0, "count");
    }

    function testFuzz_postOne__any_record__leaves_the_word_that_post_leaves(uint256 seed) public {
        for (uint256 round; round < 3; ++round) {
            uint256 own = Model.hash(seed, round);
            uint256 valuationTs = later(Model.pick(own, 30, 300));
            uint256 pps = nearby(ppsOf(1), own);
            uint256 last = Model.pick(own + 9, 0, 255);
            vm.startPrank(POSTER);
            registry.postOne((1 << 232) | (own >> 152 << 128) | (pps << 40) | (last << 32) | valuationTs, 0);
            registry.post(
                header(valuationTs), 0, abi.encodePacked(uint16(2), uint104(own >> 152), uint88(pps), uint8(last))
            );
            vm.stopPrank();
            vm.assertEq(registry.readRaw(1), registry.readRaw(2), "word");
            vm.assertEq(reasonsOf(1), reasonsOf(2), "reasons");
        }
    }

    function testFuzz_setProfile__any_bounds__are_kept_exactly_or_refused(INavRegistry.Bounds calldata any) public {
        vm.prank(ADMIN);
        try registry.setProfile(1, any) {
            vm.assertEq(keccak256(abi.encode(registry.getProfile(1))), keccak256(abi.encode(any)), "kept");
            vm.assertTrue(any.upBps <= 3276 && any.downBps <= 3276 && any.dayBps <= 3276, "fits the field");
            vm.assertTrue(any.minInterval > 0 && any.upBps > 0 && any.downBps > 0 && any.dayBps > 0, "says something");
        } catch (bytes memory reason) {
            vm.assertEq(bytes4(reason), INavRegistry.BadBounds.selector, "refused");
        }
    }
}
