// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../../src/INavRegistry.sol";
import "../../src/NavLayout.sol";
import {Model} from "./Model.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @dev Does what the roles may do, in any order, and checks after each act what no act may ever do. Fund HEALTHY is always
/// in the batch with an unchanged price: it must be stored whatever the others contain.
contract Handler is RegistryTest {
    struct Held {
        uint256 header;
        bytes record;
    }

    uint256 private constant HEALTHY = FUNDS;
    /// @dev The steps stored in the present UTC day since the last acceptance or reopening, in tenths of a bps.
    mapping(uint256 fundId => int256) public daySum;
    mapping(uint256 fundId => uint256) private sumDay;
    mapping(bytes32 digest => Held) private seen;
    address[] public accounts = [ADMIN, POSTER, RISK, GUARDIAN, address(0x20), address(0x21)];

    constructor() {
        setUp();
    }

    /// @dev Every act goes through here. What a held fund serves changes only in the act that frees it; time never falls.
    modifier checked() {
        uint256[] memory before = new uint256[](FUNDS + 1);
        for (uint256 fundId = 1; fundId <= FUNDS; ++fundId) {
            before[fundId] = registry.readRaw(fundId);
        }
        _;
        for (uint256 fundId = 1; fundId <= FUNDS; ++fundId) {
            uint256 word = registry.readRaw(fundId);
            uint256 unchanged = (word ^ before[fundId]) >> VALUATION_TS_SHIFT;
            if (word & STATUS_HELD != 0) vm.assertEq(unchanged, 0, "a held fund serves a new value");
            uint256 was = (before[fundId] >> VALUATION_TS_SHIFT) & VALUATION_TS_MASK;
            vm.assertTrue(timeOf(fundId) >= was, "the valuation time fell");
            vm.assertTrue(timeOf(fundId) <= block.timestamp, "the valuation time is in the future");
        }
    }

    // ---- the poster

    function postBatch(uint256 anything) external checked {
        uint256 seed = Model.hash(anything);
        (, bool paused,) = registry.settings();
        if (paused) return;
        uint256 valuationTs = later(Model.pick(seed, 60, 600));
        bytes memory records;
        for (uint256 i; i < 4; ++i) {
            records = bytes.concat(records, randomRecord(Model.hash(seed, i)));
        }
        uint256[FUNDS + 1] memory prices;
        for (uint256 fundId = 1; fundId <= FUNDS; ++fundId) {
            prices[fundId] = ppsOf(fundId);
        }
        records = bytes.concat(records, record(HEALTHY, prices[HEALTHY]));
        remember(header(valuationTs), records);
        vm.prank(POSTER);
        registry.post(header(valuationTs), 0, records);
        vm.assertEq(timeOf(HEALTHY), valuationTs, "a bad record stopped a good one");
        for (uint256 fundId = 1; fundId <= FUNDS; ++fundId) {
            if (timeOf(fundId) == valuationTs) addStep(fundId, prices[fundId], valuationTs);
        }
    }

    function randomRecord(uint256 seed) private view returns (bytes memory) {
        uint256 fundId = Model.pick(seed, 1, FUNDS + 1);
        if (fundId == HEALTHY) fundId = 1;
        uint256 served = (registry.readRaw(fundId) >> PPS_SHIFT) & PPS_MASK;
        uint256 pps = served * Model.pick(seed + 1, 8_500, 11_500) / 10_000;
        return record(fundId, Model.pick(seed + 2, 0, 30) == 0 ? 0 : pps);
    }

    /// @dev Adds the step of a price that was stored in this act; repeated records of a fund are never stored twice.
    function addStep(uint256 fundId, uint256 before, uint256 valuationTs) private {
        if (sumDay[fundId] != valuationTs / 1 days) (sumDay[fundId], daySum[fundId]) = (valuationTs / 1 days, 0);
        daySum[fundId] += Model.step(before, ppsOf(fundId));
        vm.assertTrue(Model.within(daySum[fundId], 2500, 2500), "the day's steps pass the bound");
        vm.assertEq(driftOf(fundId), daySum[fundId], "the drift is the sum of the day's steps");
    }

    /// @dev Keeps every record that might be held under each digest it could have.
    function remember(uint256 header_, bytes memory records) private {
        for (uint256 start; start < records.length; start += RECORD_SIZE) {
            bytes memory own = new bytes(RECORD_SIZE);
            assembly {
                mcopy(add(own, 32), add(add(records, 32), start), 27)
            }
            uint8[4] memory reasons = [1, 2, 3, 32];
            for (uint256 i; i < 4; ++i) {
                seen[keccak256(abi.encodePacked(header_, own, uint256(reasons[i])))] = Held(header_, own);
            }
        }
    }

    /// @dev With a stolen key the poster tries everything else.
    function posterTriesMore(uint256 seed) external checked {
        uint256 fundId = Model.pick(seed, 1, FUNDS);
        bytes[] memory calls = new bytes[](8);
        calls[0] = abi.encodeCall(registry.setProfile, (0, bounds(3276, 3276, 3276, 1, 3600)));
        calls[1] = abi.encodeCall(registry.assignProfile, (fundId, 0));
        calls[2] = abi.encodeCall(registry.release, (one(fundId)));
        calls[3] = abi.encodeCall(registry.discard, (fundId));
        calls[4] = abi.encodeCall(registry.setPaused, (false));
        calls[5] = abi.encodeCall(registry.setRole, (POSTER, ROLE_RISK));
        calls[6] = abi.encodeCall(registry.replacePoster, (POSTER));
        (bytes32 digest,,,) = registry.heldOf(fundId);
        calls[7] = abi.encodeCall(registry.accept, (fundId, seen[digest].header, seen[digest].record));
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(POSTER);
            (bool success,) = address(registry).call(calls[i]);
            vm.assertTrue(!success, "the poster did more than post");
        }
    }

    /// @dev Twice among the acts, so that a run holds enough posts.
    function postAnotherBatch(uint256 anything) external {
        this.postBatch(anything);
    }

    // ---- the others

    function advance(uint256 seed) external checked {
        vm.warp(block.timestamp + Model.pick(seed, 1, seed % 7 == 0 ? 12 hours : 10 minutes));
    }

    function guardianHolds(uint256 seed) external checked {
        holdByGuardian(Model.pick(seed, 1, FUNDS - 1));
    }

    function riskReleases(uint256 seed) external checked {
        uint256 fundId = Model.pick(seed, 1, FUNDS);
        if (reasonsOf(fundId) & REASON_GUARDIAN == 0) return;
        vm.prank(RISK);
        registry.release(one(fundId));
    }

    function riskDiscards(uint256 seed) external checked {
        uint256 fundId = Model.pick(seed, 1, FUNDS);
        (bytes32 digest,,,) = registry.heldOf(fundId);
        if (digest == 0) return;
        vm.prank(RISK);
        registry.discard(fundId);
    }

    function riskAccepts(uint256 seed) external checked {
        uint256 fundId = Model.pick(seed, 1, FUNDS);
        (bytes32 digest, uint256 firstReason, uint256 reasons,) = registry.heldOf(fundId);
        bool possible = digest != 0 && reasons & REASON_GUARDIAN == 0 && firstReason != REASON_ZERO_PPS;
        if (!possible || statusOf(fundId) & STATUS_LIVE == 0) return;
        uint256 was = timeOf(fundId);
        vm.prank(RISK);
        registry.accept(fundId, seen[digest].header, seen[digest].record);
        vm.assertTrue(timeOf(fundId) > was, "an accepted record is newer");
        (daySum[fundId], sumDay[fundId]) = (0, timeOf(fundId) / 1 days);
    }

    function stopOrResume(uint256 seed) external checked {
        vm.prank(seed % 4 == 0 ? GUARDIAN : RISK);
        registry.setPaused(seed % 4 == 0);
    }

    function adminCloses(uint256 seed) external checked {
        uint256 fundId = Model.pick(seed, 1, FUNDS - 1);
        if (statusOf(fundId) & STATUS_LIVE == 0) return;
        vm.prank(ADMIN);
        registry.closeFund(fundId);
    }

    function adminReopens(uint256 seed) external checked {
        uint256 fundId = Model.pick(seed, 1, FUNDS - 1);
        if (statusOf(fundId) & (STATUS_LIVE | STATUS_HELD) != 0 || timeOf(fundId) == block.timestamp) return;
        vm.prank(ADMIN);
        registry.reopenFund(fundId, WAD, Model.pick(seed, 1, 2 * WAD), block.timestamp);
        (daySum[fundId], sumDay[fundId]) = (0, block.timestamp / 1 days);
    }

    /// @dev The newcomers' roles and the poster change at random; whatever the registry refuses must leave no trace.
    function adminChangesRoles(uint256 seed) external checked {
        vm.prank(ADMIN);
        address account = accounts[Model.pick(seed, 1, 5)];
        bytes memory change = seed % 3 == 0
            ? abi.encodeCall(registry.replacePoster, (account))
            : abi.encodeCall(registry.setRole, (account, Model.pick(seed, 0, 63)));
        (bool success,) = address(registry).call(change);
        if (success) checkRoles();
        vm.startPrank(ADMIN);
        // The story goes on with the usual cast, in an order that never joins two roles.
        registry.setRole(POSTER, 0);
        registry.replacePoster(POSTER);
        registry.setRole(RISK, ROLE_RISK);
        registry.setRole(GUARDIAN, ROLE_GUARDIAN);
        vm.stopPrank();
    }

    function checkRoles() public view {
        for (uint256 i; i < accounts.length; ++i) {
            uint256 roles = registry.grantedRoles(accounts[i]);
            bool joined = roles & ROLE_POSTER != 0 && roles & (ROLE_RISK | ROLE_ADMIN) != 0;
            vm.assertTrue(!joined, "an account is poster and risk or admin at once");
        }
    }

    /// @dev The held bit, the reasons and the digest tell one story, and a drift never reaches the field's end.
    function checkHolds() external view {
        for (uint256 fundId = 1; fundId <= FUNDS; ++fundId) {
            (bytes32 digest, uint256 firstReason, uint256 reasons, uint256 since) = registry.heldOf(fundId);
            vm.assertTrue(isHeld(fundId) == (reasons != 0), "held without a reason, or a reason without a hold");
            vm.assertTrue((since != 0) == (reasons != 0), "since");
            vm.assertTrue((digest != 0) == (reasons & REASONS_THAT_HOLD != 0), "a record for every breach");
            vm.assertTrue((digest != 0) == (firstReason != 0), "a reason for every record");
            vm.assertTrue(digest == 0 || seen[digest].header != 0, "a record that was never posted");
            vm.assertTrue(Model.within(driftOf(fundId), 2500, 2500), "drift");
        }
    }
}
