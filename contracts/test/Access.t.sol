// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavRegistry} from "../src/INavRegistry.sol";
import "../src/NavLayout.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract AccessTest is RegistryTest {
    address private constant NOBODY = address(0xF);
    address private constant NEWCOMER = address(0x10);

    /// @dev Every state-changing call but posting, each valid for its role.
    function guarded() private view returns (bytes[] memory calls) {
        calls = new bytes[](12);
        calls[0] = abi.encodeCall(registry.setRole, (NEWCOMER, ROLE_GUARDIAN));
        calls[1] = abi.encodeCall(registry.setProfile, (1, bounds(1, 1, 1, 1, 2)));
        calls[2] = abi.encodeCall(registry.replacePoster, (NEWCOMER));
        calls[3] = abi.encodeCall(registry.registerFund, (99, VAULT, VAULT, 0, WAD, WAD, NOON));
        calls[4] = abi.encodeCall(registry.closeFund, (1));
        calls[5] = abi.encodeCall(registry.reopenFund, (1, WAD, WAD, NOON));
        calls[6] = abi.encodeCall(registry.assignProfile, (1, 0));
        calls[7] = abi.encodeCall(registry.accept, (1, header(NOON), record(1, WAD)));
        calls[8] = abi.encodeCall(registry.discard, (1));
        calls[9] = abi.encodeCall(registry.release, (one(1)));
        calls[10] = abi.encodeCall(registry.setPaused, (false));
        calls[11] = abi.encodeCall(registry.hold, (one(1)));
    }

    function refused(address caller, bytes memory data) private returns (bool) {
        vm.prank(caller);
        (bool success, bytes memory answer) = address(registry).call(data);
        return
            !success
                && keccak256(answer) == keccak256(abi.encodeWithSelector(INavRegistry.Unauthorized.selector, caller));
    }

    function test_roles__each_call__is_refused_to_every_other_role() public {
        bytes[] memory calls = guarded();
        for (uint256 i; i < calls.length; ++i) {
            bool ofAdmin = i < 7;
            vm.assertTrue(refused(POSTER, calls[i]), "poster");
            vm.assertTrue(refused(NOBODY, calls[i]), "nobody");
            vm.assertTrue(refused(ADMIN, calls[i]) != ofAdmin, "admin");
            if (i != 11) vm.assertTrue(refused(GUARDIAN, calls[i]), "guardian");
            if (ofAdmin) vm.assertTrue(refused(RISK, calls[i]), "risk");
        }
    }

    function test_backup_poster__by_role__posts_but_gains_nothing_else() public {
        vm.prank(ADMIN);
        registry.setRole(NOBODY, ROLE_POSTER);
        later(60);
        vm.prank(NOBODY);
        vm.assertEq(registry.post(header(block.timestamp), 0, record(1, WAD + 1)), 0, "posted");
        bytes[] memory calls = guarded();
        for (uint256 i; i < calls.length; ++i) {
            vm.assertTrue(refused(NOBODY, calls[i]), "backup poster");
        }
    }

    function test_requesters__manager_and_engine__are_known_and_may_do_nothing() public {
        vm.prank(ADMIN);
        registry.setRole(NOBODY, ROLE_MANAGER | ROLE_ENGINE);
        vm.assertEq(registry.grantedRoles(NOBODY), 48, "roles");
        bytes[] memory calls = guarded();
        for (uint256 i; i < calls.length; ++i) {
            vm.assertTrue(refused(NOBODY, calls[i]), "requester");
        }
        vm.assertTrue(refused(NOBODY, abi.encodeCall(registry.setPaused, (true))), "pause");
        vm.assertTrue(refused(NOBODY, abi.encodeCall(registry.post, (0, 0, ""))), "post");
        vm.assertTrue(refused(NOBODY, abi.encodeCall(registry.postOne, (1 << 255, 0))), "postOne");
    }

    function test_post__without_the_role__reverts_before_anything_else() public {
        address[4] memory callers = [RISK, GUARDIAN, ADMIN, NOBODY];
        for (uint256 i; i < callers.length; ++i) {
            vm.assertTrue(refused(callers[i], abi.encodeCall(registry.post, (0, 0, ""))), "post");
            vm.assertTrue(refused(callers[i], abi.encodeCall(registry.postOne, (1 << 255, 0))), "postOne");
        }
    }

    function test_setRole__that_would_join_poster_with_risk_or_admin__reverts() public {
        vm.startPrank(ADMIN);
        badRoles(NOBODY, ROLE_POSTER | ROLE_RISK, ROLE_POSTER | ROLE_RISK);
        badRoles(NOBODY, ROLE_POSTER | ROLE_ADMIN, ROLE_POSTER | ROLE_ADMIN);
        badRoles(POSTER, ROLE_RISK, ROLE_RISK | ROLE_POSTER);
        badRoles(POSTER, ROLE_ADMIN, ROLE_ADMIN | ROLE_POSTER);
        badRoles(NOBODY, 64, 64);
        badRoles(NOBODY, 1 << 255, 1 << 255);
        badRoles(ADMIN, ROLE_RISK, ROLE_RISK);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadRoles.selector, RISK, ROLE_RISK | ROLE_POSTER));
        registry.replacePoster(RISK);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadRoles.selector, ADMIN, ROLE_ADMIN | ROLE_POSTER));
        registry.replacePoster(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.ZeroAddress.selector));
        registry.setRole(address(0), ROLE_GUARDIAN);
        vm.stopPrank();
    }

    function test_deploy__wrong_arguments__reverts() public {
        INavRegistry.Bounds memory good = bounds(1, 1, 1, 1, 2);
        vm.assertTrue(address(deploy(ADMIN, POSTER, 900, good)) != address(0), "good");
        vm.assertTrue(address(deploy(ADMIN, address(0), 900, good)) != address(0), "no poster yet");
        vm.assertTrue(address(deploy(ADMIN, ADMIN, 900, good)) == address(0), "admin posts");
        vm.assertTrue(address(deploy(address(0), POSTER, 900, good)) == address(0), "no admin");
        vm.assertTrue(address(deploy(ADMIN, POSTER, 0, good)) == address(0), "nothing could be posted");
        vm.assertTrue(address(deploy(ADMIN, POSTER, 900, bounds(1, 1, 3277, 1, 2))) == address(0), "too wide");
    }

    function badRoles(address account, uint256 roles, uint256 effective) private {
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadRoles.selector, account, effective));
        registry.setRole(account, roles);
    }

    function test_replacePoster__takes_effect_at_once_and_keeps_pause_and_bounds() public {
        vm.prank(GUARDIAN);
        registry.setPaused(true);
        vm.prank(ADMIN);
        registry.replacePoster(NOBODY);
        (address poster, bool paused, uint256 maxPostAge) = registry.settings();
        vm.assertTrue(poster == NOBODY && paused && maxPostAge == MAX_POST_AGE, "settings");
        vm.assertEq(registry.getProfile(0).dayBps, 2500, "bounds");
        vm.assertEq(registry.grantedRoles(NOBODY), ROLE_POSTER, "new poster");
        vm.assertEq(registry.grantedRoles(POSTER), 0, "old poster");
        vm.prank(RISK);
        registry.setPaused(false);
        vm.prank(POSTER);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.Unauthorized.selector, POSTER));
        registry.post(header(NOON), 0, record(1, WAD));
    }

    // ---- guard profiles

    function test_setProfile__bounds_that_the_drift_field_cannot_hold__reverts() public {
        vm.startPrank(ADMIN);
        badBounds(bounds(3277, 1, 1, 1, 2));
        badBounds(bounds(1, 3277, 1, 1, 2));
        badBounds(bounds(1, 1, 3277, 1, 2));
        badBounds(bounds(0, 1, 1, 1, 2));
        badBounds(bounds(1, 0, 1, 1, 2));
        badBounds(bounds(1, 1, 0, 1, 2));
        badBounds(bounds(1, 1, 1, 0, 2));
        badBounds(bounds(1, 1, 1, 2, 2));
        badBounds(bounds(1, 1, 1, 1, 1 << 20));
        registry.setProfile(63, bounds(3276, 3276, 3276, 1, (1 << 20) - 1));
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownProfile.selector, 64));
        registry.setProfile(64, bounds(1, 1, 1, 1, 2));
        vm.stopPrank();
        vm.assertEq(registry.getProfile(63).maxAge, (1 << 20) - 1, "widest");
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownProfile.selector, 5));
        registry.getProfile(5);
    }

    function badBounds(INavRegistry.Bounds memory wrong) private {
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.BadBounds.selector));
        registry.setProfile(1, wrong);
    }

    function test_profile__of_a_fund__replaces_the_bounds_of_profile_zero() public {
        vm.startPrank(ADMIN);
        registry.setProfile(7, bounds(3276, 5, 3276, 10, 20));
        registry.assignProfile(1, 7);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownProfile.selector, 8));
        registry.assignProfile(1, 8);
        vm.stopPrank();
        later(10);
        vm.assertEq(post(1, WAD * 13_276 / 10_000), 0, "wider and sooner");
        vm.assertEq(driftOf(1), 32_760, "the widest drift");
        vm.assertEq(registry.ppsOrRevert(1), WAD * 13_276 / 10_000, "fresh");
        later(21);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsStale.selector, 1, NOON + 10, 20));
        registry.ppsOrRevert(1);
        vm.assertEq(post(1, WAD * 13_276 / 10_000 * 9994 / 10_000), REASON_STEP, "narrower down");
        vm.assertEq(post(2, WAD * 99 / 100), REASON_TOO_EARLY, "others keep profile 0");
    }

    function test_setProfile__zero__changes_bounds_and_neither_poster_nor_pause() public {
        vm.prank(ADMIN);
        registry.setProfile(0, bounds(1, 2, 3, 4, 5));
        (address poster, bool paused,) = registry.settings();
        vm.assertTrue(poster == POSTER && !paused, "settings");
        later(4);
        vm.assertEq(post(1, WAD * 10_001 / 10_000), 0, "at the new bound");
        vm.assertEq(post(2, WAD * 10_002 / 10_000), REASON_STEP, "beyond it");
    }

    // ---- funds

    function test_registerFund__wrong_arguments__revert() public {
        vm.startPrank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundExists.selector, 1));
        registry.registerFund(1, VAULT, VAULT, 0, WAD, WAD, NOON);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownFund.selector, 65_536));
        registry.registerFund(65_536, VAULT, VAULT, 0, WAD, WAD, NOON);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownProfile.selector, 3));
        registry.registerFund(9, VAULT, VAULT, 3, WAD, WAD, NOON);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.ZeroPps.selector));
        registry.registerFund(9, VAULT, VAULT, 0, WAD, 0, NOON);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.ZeroAddress.selector));
        registry.registerFund(9, address(0), VAULT, 0, WAD, WAD, NOON);
        bytes memory badOpening = abi.encodeWithSelector(INavRegistry.BadOpening.selector);
        vm.expectRevert(badOpening);
        registry.registerFund(9, VAULT, VAULT, 0, WAD, WAD, NOON + 1);
        vm.expectRevert(badOpening);
        registry.registerFund(9, VAULT, VAULT, 0, WAD, WAD, 0);
        vm.expectRevert(badOpening);
        registry.registerFund(9, VAULT, VAULT, 0, 1 << 104, WAD, NOON);
        vm.expectRevert(badOpening);
        registry.registerFund(9, VAULT, VAULT, 0, WAD, 1 << 88, NOON);
        registry.registerFund(9, VAULT, address(0), 0, (1 << 104) - 1, (1 << 88) - 1, NOON);
        vm.stopPrank();
        (uint256 nav, uint256 pps,,,) = registry.read(9);
        vm.assertTrue(nav == (1 << 104) - 1 && pps == (1 << 88) - 1, "largest values");
        (address vault, address base) = registry.fundOf(9);
        vm.assertTrue(vault == VAULT && base == address(0), "addresses");
    }

    function test_closeFund__twice_or_unknown__reverts_and_the_value_stays_readable() public {
        vm.startPrank(ADMIN);
        registry.closeFund(1);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsClosed.selector, 1));
        registry.closeFund(1);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.UnknownFund.selector, 99));
        registry.closeFund(99);
        vm.expectRevert(abi.encodeWithSelector(INavRegistry.FundIsOpen.selector, 2));
        registry.reopenFund(2, WAD, WAD, NOON);
        vm.stopPrank();
        vm.assertEq(ppsOf(1), WAD, "value");
        vm.assertEq(statusOf(1), STATUS_ESTIMATED, "not live");
    }
}
