// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFundVault} from "../../src/vault/IFundVault.sol";
import {IFundVaultEvents} from "../../src/vault/IFundVaultEvents.sol";
import "../../src/vault/VaultTypes.sol";
import {VaultTest} from "./support/VaultTest.sol";

interface IExtended {
    function extension() external view returns (address);
}

contract VaultRunningTest is VaultTest {
    bytes4 private constant NO_ROLE = bytes4(keccak256("AccessControlUnauthorizedAccount(address,bytes32)"));

    function guarded() private view returns (bytes[] memory calls, address[] memory owners) {
        calls = new bytes[](19);
        owners = new address[](19);
        uint104[5] memory parts;
        calls[0] = abi.encodeCall(vault.settle, (1, parts));
        calls[1] = abi.encodeCall(vault.deployIdle, (address(token), 1));
        calls[2] = abi.encodeCall(vault.deliver, (1, address(token), 1));
        calls[3] = abi.encodeCall(vault.deliverFromIdle, (1, address(token), 1));
        calls[4] = abi.encodeCall(vault.recall, (1, address(token), 1));
        calls[5] = abi.encodeCall(vault.declareDividend, (1, false));
        calls[6] = abi.encodeCall(vault.pause, ());
        calls[7] = abi.encodeCall(vault.freeze, ("x"));
        calls[8] = abi.encodeCall(vault.unpause, ());
        calls[9] = abi.encodeCall(vault.unfreeze, ());
        calls[10] = abi.encodeCall(vault.rejectRequests, (1, true, true));
        calls[11] = abi.encodeCall(vault.open, ());
        calls[12] = abi.encodeCall(vault.close, ());
        calls[13] = abi.encodeCall(vault.setLimits, (usualLimits()));
        calls[14] = abi.encodeCall(vault.setFeeTerms, (terms()));
        calls[15] = abi.encodeCall(vault.setCustodian, (BOB));
        calls[16] = abi.encodeCall(vault.setFeeRecipient, (BOB));
        calls[17] = abi.encodeCall(vault.setQuoter, (BOB));
        calls[18] = abi.encodeCall(vault.sweep, (address(token)));
        for (uint256 i; i < 19; ++i) {
            owners[i] = i == 0 ? KEEPER : i < 6 ? CUSTODIAN : i < 8 ? GUARDIAN : i < 11 ? RISK : ADMIN;
        }
    }

    function test_roles__each_call__is_refused_to_every_other_role() public {
        (bytes[] memory calls, address[] memory owners) = guarded();
        address[6] memory callers = [KEEPER, CUSTODIAN, GUARDIAN, RISK, ADMIN, ALICE];
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 j; j < callers.length; ++j) {
                if (callers[j] == owners[i]) continue;
                refused(callers[j], calls[i], NO_ROLE, "refused");
            }
            vm.assertTrue(selectorOf(owners[i], calls[i]) != NO_ROLE, "owner");
        }
    }

    function test_keeper__with_risk_or_admin__is_refused_in_both_orders() public {
        bytes4 bad = IFundVaultEvents.BadRoles.selector;
        bytes32 risk = keccak256("RISK_ROLE");
        bytes32 keeper = keccak256("KEEPER_ROLE");
        refused(ADMIN, abi.encodeCall(shares.grantRole, (risk, KEEPER)), bad, "risk to the keeper");
        refused(ADMIN, abi.encodeCall(shares.grantRole, (0, KEEPER)), bad, "admin to the keeper");
        refused(ADMIN, abi.encodeCall(shares.grantRole, (keeper, RISK)), bad, "keeper to risk");
        refused(ADMIN, abi.encodeCall(shares.grantRole, (keeper, ADMIN)), bad, "keeper to admin");
        refused(ADMIN, abi.encodeCall(shares.renounceRole, (0, ADMIN)), bad, "the last admin");
        refused(ADMIN, abi.encodeCall(shares.grantRole, (risk, BOB)), 0, "a second risk");
    }

    function test_dividend__on_all_shares__reaches_holders_requesters_and_depositors() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        uint256 epoch = deposit(BOB, 1000 * UNIT);
        runEpoch(); // Bob's shares are minted and not claimed
        redeem(ALICE, held / 2);
        uint256 supply = shares.totalSupply();
        (uint256 mark,) = vault.feeState();
        vm.prank(CUSTODIAN);
        vault.declareDividend(100 * UNIT, false);
        (uint256 lowered,) = vault.feeState();
        vm.assertEq(lowered, mark - 100e18 * WAD / supply, "the mark falls by it");
        uint256 own = vault.dividendOf(ALICE);
        vm.assertEq(own, 100 * UNIT * (held - held / 2) / supply, "on the shares at hand");
        vm.prank(ALICE);
        shares.transfer(CAROL, held - held / 2);
        vm.assertEq(vault.dividendOf(ALICE), own, "it stays with the holder of the day");
        vm.assertEq(vault.dividendOf(CAROL), 0, "and does not move with the shares");
        runEpoch();
        vm.prank(CUSTODIAN);
        vault.declareDividend(50 * UNIT, false);
        claimUnits(ALICE, 3);
        uint256 whole = 100 * UNIT * held / supply;
        uint256 all = vault.dividendOf(ALICE);
        vm.assertTrue(all <= whole && all + 1 >= whole, "escrowed shares had their part, redeemed ones no more");
        uint256 bought = claim(BOB, epoch);
        uint256 first = 100 * UNIT * bought / supply;
        vm.assertTrue(vault.dividendOf(BOB) >= first + 45 * UNIT * bought / supply, "unclaimed shares have their part");
        vm.prank(BOB);
        vault.claimDividend(BOB, BOB);
        refused(BOB, abi.encodeCall(vault.claimDividend, (BOB, BOB)), IFundVaultEvents.ZeroAmount.selector, "once");
        refused(BOB, abi.encodeCall(vault.claimDividend, (ALICE, BOB)), IFundVaultEvents.NotOperator.selector, "own");
    }

    function test_dividend__before_a_request_or_a_settlement__is_not_of_its_shares() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        uint256 epoch = deposit(BOB, 1000 * UNIT);
        redeem(ALICE, held / 4);
        vm.prank(CUSTODIAN);
        vault.declareDividend(100 * UNIT, false);
        redeem(ALICE, held / 4);
        runEpoch();
        claim(BOB, epoch);
        vm.assertEq(vault.dividendOf(BOB), 0, "declared before his shares were minted");
        claimUnits(ALICE, epoch);
        uint256 due = 100 * UNIT * held / (held + shares.balanceOf(FEES));
        vm.assertTrue(vault.dividendOf(ALICE) <= 100 * UNIT, "no share twice");
        vm.assertTrue(vault.dividendOf(ALICE) + 2 >= due, "and none left out");
    }

    function test_dividend__between_post_and_settlement__needs_a_newer_post() public {
        invested(ALICE, 1000 * UNIT);
        waitForSettlement();
        postNav();
        vm.prank(CUSTODIAN);
        vault.declareDividend(10 * UNIT, false);
        refusedSettlement(IFundVaultEvents.PostTooOld.selector, "the post still counts the dividend");
        later(60);
        postNav();
        settle();
    }

    function test_dividend__from_idle_and_too_large() public {
        uint256 epoch = deposit(ALICE, 1000 * UNIT);
        runEpoch();
        claim(ALICE, epoch);
        bytes memory large = abi.encodeCall(vault.declareDividend, (1000 * UNIT, true));
        refused(CUSTODIAN, large, IFundVaultEvents.DividendTooLarge.selector, "as large as the mark");
        refused(CUSTODIAN, abi.encodeCall(vault.declareDividend, (999 * UNIT, true)), 0, "less");
        vm.assertEq(vault.idleOf(address(token)), UNIT, "idle");
        vm.assertEq(vault.dividendPool(), 999 * UNIT, "pool");
        refused(
            CUSTODIAN,
            abi.encodeCall(vault.deployIdle, (address(token), UNIT + 1)),
            IFundVaultEvents.NotEnough.selector,
            "idle"
        );
    }

    function test_donation__changes_nothing_and_is_swept_to_the_custodian() public {
        uint256 held = invested(ALICE, 1000 * UNIT);
        uint256 assets = vault.totalAssets();
        token.mint(address(vault), 77 * UNIT);
        vm.prank(ALICE);
        shares.transfer(address(vault), held / 10);
        vm.assertEq(vault.totalAssets(), assets, "assets");
        vm.assertEq(vault.surplus(address(token)), 77 * UNIT, "surplus");
        redeem(ALICE, held / 10);
        uint256 before = token.balanceOf(CUSTODIAN);
        vm.startPrank(ADMIN);
        vm.assertEq(vault.sweep(address(token)), 77 * UNIT, "swept");
        vm.assertEq(vault.sweep(address(vault)), held / 10, "only the shares that are nobody's");
        vm.stopPrank();
        vm.assertEq(token.balanceOf(CUSTODIAN), before + 77 * UNIT, "to the custodian");
        refused(
            ADMIN, abi.encodeCall(vault.sweep, (address(token))), IFundVaultEvents.ZeroAmount.selector, "nothing left"
        );
    }

    function test_reopening__starts_mark_and_clock_anew() public {
        invested(ALICE, 1000 * UNIT);
        profit(90 * UNIT);
        runEpoch();
        token.burn(CUSTODIAN, 80 * UNIT);
        vm.prank(ADMIN);
        vault.close();
        refused(
            BOB, abi.encodeCall(vault.requestDeposit, (UNIT, BOB, BOB)), IFundVaultEvents.VaultIsClosed.selector, "in"
        );
        vm.warp(block.timestamp + 30 days);
        vm.assertTrue(selectorOf(ADMIN, abi.encodeCall(vault.open, ())) != 0, "a stale price");
        postNav();
        holdByGuardian(FUND);
        refused(ADMIN, abi.encodeCall(vault.open, ()), IFundVaultEvents.FundNotServed.selector, "held");
        vm.prank(RISK);
        registry.release(one(FUND));
        vm.prank(ADMIN);
        vault.open();
        (uint256 mark, uint256 clock) = vault.feeState();
        vm.assertEq(mark, ppsOf(FUND), "mark");
        vm.assertEq(clock, timeOf(FUND), "clock");
        vm.assertEq(vault.settlement().closesAt, block.timestamp + EPOCH_LENGTH, "a whole epoch");
    }

    function test_opening__for_a_fund_of_another_vault_or_asset__is_refused() public {
        Configuration memory other = configuration();
        other.fundId = 1;
        IFundVault second = IFundVault(create("FundVault", abi.encode("Second", "SEC", other)));
        vm.prank(ADMIN);
        (bool success, bytes memory answer) = address(second).call(abi.encodeCall(second.open, ()));
        vm.assertTrue(!success && bytes4(answer) == IFundVaultEvents.WrongFund.selector, "another vault's fund");
    }

    function test_construction__outside_the_bounds__is_refused() public {
        for (uint256 i; i < 16; ++i) {
            Configuration memory bad = configuration();
            if (i == 0) bad.fundId = 65_536;
            if (i == 1) bad.epochLength = 0;
            if (i == 2) bad.minDelay = 0;
            if (i == 3) bad.custodian = address(0);
            if (i == 4) bad.feeRecipient = address(0);
            if (i == 5) bad.admin = address(0);
            if (i == 6) bad.limits.minDeposit = 999;
            if (i == 7) bad.limits.depositCap = bad.limits.minDeposit - 1;
            if (i == 8) bad.limits.minSharePrice = 1e12 - 1;
            if (i == 9) bad.limits.cancelGrace = bad.minDelay;
            if (i == 10) bad.limits.toleranceBps = 501;
            if (i == 11) bad.limits.minConfidence = 101;
            if (i == 12) bad.feeTerms.managementRate = 0.1e18 + 1;
            if (i == 13) bad.feeTerms.performanceRate = 0.5e18 + 1;
            if (i == 14) bad.feeTerms.withdrawalRate = 0.05e18 + 1;
            if (i == 15) bad.feeTerms.capBps = 1001;
            vm.assertTrue(create("FundVault", abi.encode("Bad", "BAD", bad)) == address(0), "bounds");
        }
        Configuration memory edge = configuration();
        edge.limits.minDeposit = 1000;
        edge.limits.minSharePrice = 1e12;
        edge.limits.toleranceBps = 500;
        edge.feeTerms = FeeTerms(0.1e18, 0.5e18, 0.05e18, 1000);
        vm.assertTrue(create("FundVault", abi.encode("Edge", "EDG", edge)) != address(0), "the bounds themselves");
    }

    function test_extension__called_at_its_own_address__is_a_vault_that_never_opens() public {
        IFundVault bare = IFundVault(IExtended(address(vault)).extension());
        vm.prank(ADMIN);
        (bool success, bytes memory answer) = address(bare).call(abi.encodeCall(bare.open, ()));
        vm.assertTrue(!success && bytes4(answer) == NO_ROLE, "no roles");
        vm.assertTrue(bare.closed() && !vault.closed(), "its storage is its own");
        vm.assertTrue(address(bare).code.length <= 24_576 && address(vault).code.length <= 24_576, "sizes");
        (success,) = address(vault).call(hex"deadbeef");
        vm.assertTrue(!success, "a call that neither knows");
        (success,) = address(vault).call{value: 1}(abi.encodeCall(vault.limits, ()));
        vm.assertTrue(!success, "coins");
    }

    function test_payout_tokens__are_listed_once_and_kept_while_delivered() public {
        bytes4 bad = IFundVaultEvents.BadPayoutToken.selector;
        refused(ADMIN, abi.encodeCall(vault.setPayoutToken, (address(token), true)), bad, "the asset");
        refused(ADMIN, abi.encodeCall(vault.setPayoutToken, (address(vault), true)), bad, "the share");
        refused(ADMIN, abi.encodeCall(vault.setPayoutToken, (address(gold), false)), bad, "not listed");
        refused(CUSTODIAN, abi.encodeCall(vault.deliver, (1, address(gold), 1)), bad, "not listed");
        refused(ADMIN, abi.encodeCall(vault.setPayoutToken, (address(gold), true)), 0, "listed");
        refused(ADMIN, abi.encodeCall(vault.setPayoutToken, (address(gold), true)), bad, "twice");
        gold.mint(CUSTODIAN, 10);
        vm.prank(CUSTODIAN);
        vault.deliver(1, address(gold), 10);
        refused(ADMIN, abi.encodeCall(vault.setPayoutToken, (address(gold), false)), bad, "delivered");
        vm.prank(CUSTODIAN);
        vault.recall(1, address(gold), 10);
        refused(ADMIN, abi.encodeCall(vault.setPayoutToken, (address(gold), false)), 0, "recalled");
        refused(CUSTODIAN, abi.encodeCall(vault.deployIdle, (address(gold), 10)), 0, "idle units can still leave");
        refused(
            CUSTODIAN,
            abi.encodeCall(vault.deliver, (2, address(token), 1)),
            IFundVaultEvents.WrongEpoch.selector,
            "epoch"
        );
    }
}
