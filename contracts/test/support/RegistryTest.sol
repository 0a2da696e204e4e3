// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../../src/INavRegistry.sol";
import "../../src/NavLayout.sol";
import {Vm} from "./Vm.sol";

/// @dev A registry with one account per role and funds 1 to FUNDS at a price of 1.0; bounds as in the replay.
abstract contract RegistryTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    address internal constant ADMIN = address(0xA);
    address internal constant POSTER = address(0xB);
    address internal constant RISK = address(0xC);
    address internal constant GUARDIAN = address(0xD);
    address internal constant VAULT = address(0xE);
    uint256 internal constant NOON = 1_795_176_000;
    uint256 internal constant MAX_POST_AGE = 900;
    uint256 internal constant FUNDS = 5;
    uint256 internal constant WAD = 1e18;

    INavRegistry internal registry;

    function setUp() public virtual {
        vm.warp(NOON);
        registry = deploy(ADMIN, POSTER, MAX_POST_AGE, bounds(1000, 1000, 2500, 60, 3600));
        vm.assertTrue(address(registry) != address(0), "deployed");
        vm.startPrank(ADMIN);
        registry.setRole(RISK, ROLE_RISK);
        registry.setRole(GUARDIAN, ROLE_GUARDIAN);
        for (uint256 fundId = 1; fundId <= FUNDS; ++fundId) {
            registry.registerFund(fundId, VAULT, VAULT, 0, 1e6 * WAD, WAD, NOON);
        }
        vm.stopPrank();
    }

    // ---- building

    /// @dev The built artifact, so that what is tested is what is deployed; the zero address where the constructor reverts.
    function deploy(address admin, address poster, uint256 maxPostAge, INavRegistry.Bounds memory bounds_)
        internal
        returns (INavRegistry deployed)
    {
        bytes memory code = vm.parseJsonBytes(vm.readFile("abi/NavRegistry.json"), ".bytecode");
        bytes memory creation = bytes.concat(code, abi.encode(admin, poster, maxPostAge, bounds_));
        assembly {
            deployed := create(0, add(creation, 32), mload(creation))
        }
    }

    function bounds(uint16 up, uint16 down, uint16 day, uint32 minInterval, uint32 maxAge)
        internal
        pure
        returns (INavRegistry.Bounds memory)
    {
        return INavRegistry.Bounds(up, down, day, minInterval, maxAge);
    }

    function header(uint256 valuationTs) internal pure returns (uint256) {
        return (valuationTs << HEADER_TS_SHIFT) | RECORD_SIZE;
    }

    function record(uint256 fundId, uint256 pps) internal pure returns (bytes memory) {
        return record(fundId, pps * 1e6, pps, 95, false);
    }

    function record(uint256 fundId, uint256 nav, uint256 pps, uint256 confidence, bool estimated)
        internal
        pure
        returns (bytes memory)
    {
        uint8 last = uint8((estimated ? 0x80 : 0) | confidence);
        return abi.encodePacked(uint16(fundId), uint104(nav), uint88(pps), last);
    }

    function one(uint256 fundId) internal pure returns (uint256[] memory fundIds) {
        fundIds = new uint256[](1);
        fundIds[0] = fundId;
    }

    // ---- acting

    /// @dev Posts one record at the present time and returns why it was not stored, zero when it was.
    function post(uint256 fundId, uint256 pps) internal returns (uint256) {
        return postAt(block.timestamp, record(fundId, pps));
    }

    function postAt(uint256 valuationTs, bytes memory records) internal returns (uint256 reason) {
        vm.recordLogs();
        vm.prank(POSTER);
        uint256 refused = registry.post(header(valuationTs), keccak256("root"), records);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == INavRegistry.NavHeld.selector || topic == INavRegistry.NavRejected.selector) {
                (,, reason) = abi.decode(logs[i].data, (uint256, uint256, uint256));
                --refused;
            }
        }
        vm.assertEq(refused, 0, "one event for each record that was not stored");
    }

    function later(uint256 interval) internal returns (uint256) {
        vm.warp(block.timestamp + interval);
        return block.timestamp;
    }

    function holdByGuardian(uint256 fundId) internal {
        vm.prank(GUARDIAN);
        registry.hold(one(fundId));
    }

    // ---- looking

    function ppsOf(uint256 fundId) internal view returns (uint256 pps) {
        (, pps,,,) = registry.read(fundId);
    }

    function timeOf(uint256 fundId) internal view returns (uint256 valuationTs) {
        (,, valuationTs,,) = registry.read(fundId);
    }

    function statusOf(uint256 fundId) internal view returns (uint256 status) {
        (,,,, status) = registry.read(fundId);
    }

    function driftOf(uint256 fundId) internal view returns (int256) {
        return int16(uint16(registry.readRaw(fundId) >> DAY_DRIFT_SHIFT));
    }

    function reasonsOf(uint256 fundId) internal view returns (uint256 reasons) {
        (,, reasons,) = registry.heldOf(fundId);
    }

    function isHeld(uint256 fundId) internal view returns (bool) {
        return statusOf(fundId) & STATUS_HELD != 0;
    }
}
