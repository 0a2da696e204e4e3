// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import "../../../src/vault/VaultTypes.sol";
import {Model} from "../../support/Model.sol";
import {VaultTest} from "./VaultTest.sol";

/// @dev Four investors, a manager, a keeper and the others, in any order. Each settlement and each claim is compared
/// with what exact fractions of what is really there would give; no comparison allows for dust on the investors' side.
contract VaultHandler is VaultTest {
    address[] public investors = [ALICE, BOB, CAROL, address(0x44)];
    /// @dev Of each investor, the dividends due on all that is his, scaled by 1e18 and rounded up.
    mapping(address => uint256) public dividendsDue;
    mapping(address => uint256) public dividendsPaid;
    uint256 public settlements;
    uint256 public depositsSettled;
    uint256 public redemptionsSettled;
    uint256 public claims;

    constructor() {
        setUp();
        deposit(ALICE, 1_000_000 * UNIT);
        settleNow();
        claimOf(1, ALICE);
    }

    // ---- investors

    function requestDeposit(uint256 seed) external {
        uint256 assets = Model.pick(seed, UNIT, 200_000 * UNIT);
        if (vault.maxDeposit(ALICE) >= assets) deposit(investor(seed), assets);
    }

    function requestRedeem(uint256 seed) external {
        address account = investor(seed);
        uint256 most = vault.maxRedeem(account);
        if (most == 0) return;
        // Someone always stays, so that prices go on; everybody leaves in a test of its own.
        redeem(account, Model.pick(Model.hash(seed, 1), 1, most / 2 + 1));
    }

    function transferShares(uint256 seed) external {
        address account = investor(seed);
        uint256 amount = Model.pick(Model.hash(seed, 1), 0, shares.balanceOf(account));
        vm.prank(account);
        shares.transfer(investor(Model.hash(seed, 2)), amount);
    }

    function claimAll(uint256 seed) external {
        uint256 current = vault.settlement().epoch;
        for (uint256 epoch = 1; epoch < current; ++epoch) {
            if (isEmpty(epoch)) continue;
            for (uint256 i; i < investors.length; ++i) {
                if (Model.hash(seed, epoch * 8 + i) % 2 == 0) claimOf(epoch, investors[i]);
            }
        }
    }

    function claimOf(uint256 epoch, address account) private {
        EpochState memory state = vault.epochOf(epoch);
        uint256 assets = vault.claimableDepositRequest(epoch, account);
        if (assets != 0) {
            uint256 got = claim(account, epoch);
            vm.assertTrue(got * state.depositAssets <= assets * state.mintedShares, "more shares than the part");
            ++claims;
        }
        uint256 redeemed = vault.claimableRedeemRequest(epoch, account);
        if (redeemed != 0) {
            (, uint256[] memory amounts) = vault.payoutsOf(epoch);
            uint256 got = claimUnits(account, epoch);
            uint256 pool = amounts.length == 0 ? 0 : amounts[0];
            vm.assertTrue(got * state.redeemShares <= redeemed * pool, "more units than the part");
            ++claims;
        }
    }

    function claimDividends(uint256 seed) external {
        address account = investor(seed);
        if (vault.dividendOf(account) == 0) return;
        vm.prank(account);
        dividendsPaid[account] += vault.claimDividend(account, account);
        vm.assertTrue(dividendsPaid[account] * 1e18 <= dividendsDue[account], "more dividends than the part");
    }

    // ---- the market, and gifts

    function movePrice(uint256 seed) external {
        uint256 held = token.balanceOf(CUSTODIAN);
        uint256 move = held * Model.pick(Model.hash(seed, 1), 0, 800) / 10_000;
        if (seed % 2 == 0) token.mint(CUSTODIAN, move);
        else token.burn(CUSTODIAN, move);
    }

    function donate(uint256 seed) external {
        uint256 before = vault.accountedOf(address(token));
        token.mint(address(vault), Model.pick(seed, 1, 1_000_000 * UNIT));
        vm.assertEq(vault.accountedOf(address(token)), before, "a donation is a surplus");
        if (seed % 3 != 0) return;
        vm.prank(ADMIN);
        vault.sweep(address(token));
    }

    // ---- the manager

    function deployIdle(uint256 seed) external {
        uint256 idle = vault.idleOf(address(token));
        if (idle == 0 || stopped()) return;
        vm.prank(CUSTODIAN);
        vault.deployIdle(address(token), Model.pick(seed, 1, idle));
    }

    function deliverOrRecall(uint256 seed) external {
        uint256 epoch = vault.settlement().epoch;
        (, uint256[] memory delivered, uint256[] memory idle) = vault.deliveries();
        uint256 held = token.balanceOf(CUSTODIAN) / 10;
        if (vault.closed()) return;
        vm.startPrank(CUSTODIAN);
        if (seed % 3 == 0 && delivered[0] != 0) vault.recall(epoch, address(token), Model.pick(seed, 1, delivered[0]));
        if (seed % 3 == 1 && idle[0] != 0) vault.deliverFromIdle(epoch, address(token), Model.pick(seed, 1, idle[0]));
        if (seed % 3 == 2 && held != 0) vault.deliver(epoch, address(token), Model.pick(seed, 1, held));
        vm.stopPrank();
    }

    function declareDividend(uint256 seed) external {
        uint256 supply = shares.totalSupply();
        uint256 assets = Model.pick(seed, 1, token.balanceOf(CUSTODIAN) / 50 + 1);
        (uint256 mark,) = vault.feeState();
        bool refusable = assets * SCALE * WAD / supply >= mark || assets > token.balanceOf(CUSTODIAN);
        if (vault.frozen() || refusable) return;
        for (uint256 i; i < investors.length; ++i) {
            dividendsDue[investors[i]] += (assets * sharesOf(investors[i]) * 1e18) / supply + 1;
        }
        vm.prank(CUSTODIAN);
        vault.declareDividend(assets, false);
    }

    // ---- the keeper

    function advance(uint256 seed) external {
        vm.warp(block.timestamp + Model.pick(seed, 60, seed % 5 == 0 ? 2 days : 3 hours));
        postNav();
    }

    function settleEpoch(uint256) external {
        settleNow();
    }

    function settleEpochAgain(uint256) external {
        settleNow();
    }

    function settleNow() private {
        if (stopped()) return;
        SettlementState memory state = vault.settlement();
        waitForSettlement();
        deliverDue();
        postNav();
        // Delivered units are a tolerance at most under the true part: rounding alone never makes them too few.
        uint256 before = netValue(block.timestamp);
        uint256 supply = shares.totalSupply();
        FlowTotals memory was = vault.flowTotals();
        settle();
        ++settlements;
        FlowTotals memory now_ = vault.flowTotals();
        if (state.depositAssets != 0) ++depositsSettled;
        if (state.redeemShares != 0) ++redemptionsSettled;
        uint256 minted = now_.mintedShares - was.mintedShares;
        if (supply != 0) {
            vm.assertTrue(minted * before <= state.depositAssets * SCALE * supply, "deposits bought too much");
        }
        uint256 burned = now_.burnedShares - was.burnedShares;
        uint256 paid;
        (, uint256[] memory amounts) = vault.payoutsOf(state.epoch);
        if (amounts.length != 0) paid = amounts[0] * SCALE;
        vm.assertTrue(supply == 0 || paid * supply <= burned * before, "redeemers got too much");
        vm.assertTrue(paid <= now_.redeemedValue - was.redeemedValue, "more was paid than is recorded");
        // What is left after the settlement owes no fees: nobody's share price has fallen.
        uint256 left = shares.totalSupply();
        vm.assertTrue(supply == 0 || left == 0 || grossValue() * supply >= before * left, "the share price fell");
        vm.assertEq(left, uint256(now_.mintedShares) + now_.feeShares - now_.burnedShares, "supply");
    }

    // ---- guardian, risk, admin

    function freezeAndCancel(uint256 seed) external {
        if (vault.frozen() || seed % 3 != 0) return;
        vm.prank(GUARDIAN);
        vault.freeze("test");
        cancelSome(seed);
    }

    function unfreeze(uint256) external {
        if (!vault.frozen()) return;
        vm.prank(RISK);
        vault.unfreeze();
    }

    function cancelWhenPossible(uint256 seed) external {
        SettlementState memory state = vault.settlement();
        if (!state.frozen && !state.closed && block.timestamp < state.closesAt + CANCEL_GRACE) return;
        cancelSome(seed);
    }

    function rejectOverdue(uint256 seed) external {
        SettlementState memory state = vault.settlement();
        if (seed % 4 == 0) return;
        vm.warp(state.closesAt + CANCEL_GRACE > block.timestamp ? state.closesAt + CANCEL_GRACE : block.timestamp);
        vm.prank(RISK);
        vault.rejectRequests(state.epoch, seed % 3 != 0, seed % 5 != 0);
        cancelSome(seed);
    }

    function closeOrOpen(uint256 seed) external {
        if (vault.closed() && !vault.frozen()) {
            vm.warp(block.timestamp + 60);
            postNav();
            vm.prank(ADMIN);
            vault.open();
        } else if (!vault.closed() && seed % 4 == 0) {
            vm.prank(ADMIN);
            vault.close();
            cancelSome(seed);
        }
    }

    function setFeeTerms(uint256 seed) external {
        FeeTerms memory next = terms();
        next.managementRate = uint64(Model.pick(seed, 0, 0.1e18));
        next.performanceRate = uint64(Model.pick(Model.hash(seed, 1), 0, 0.5e18));
        next.withdrawalRate = uint64(Model.pick(Model.hash(seed, 2), 0, 0.05e18));
        next.capBps = uint16(Model.pick(Model.hash(seed, 3), 0, 1000));
        vm.prank(ADMIN);
        vault.setFeeTerms(next);
    }

    function cancelSome(uint256 seed) private {
        uint256 current = vault.settlement().epoch;
        for (uint256 epoch = current; epoch <= current + 1; ++epoch) {
            for (uint256 i; i < investors.length; ++i) {
                if (Model.hash(seed, epoch * 8 + i) % 2 == 0) cancel(epoch, investors[i]);
            }
        }
    }

    function cancel(uint256 epoch, address account) private {
        uint256 queued = vault.pendingDepositRequest(epoch, account);
        uint256 escrowed = vault.pendingRedeemRequest(epoch, account);
        vm.startPrank(account);
        if (queued != 0) vm.assertEq(vault.cancelDepositRequest(epoch, account, account), queued, "all of it");
        if (escrowed != 0) vm.assertEq(vault.cancelRedeemRequest(epoch, account, account), escrowed, "all of it");
        vm.stopPrank();
    }

    // ---- what must be true of every state

    /// @dev The accounts are what the parts of them come to, and no more than what is there.
    function checkAccounts() external view {
        (, uint256[] memory delivered, uint256[] memory idle) = vault.deliveries();
        uint256 units = delivered[0] + idle[0] + vault.dividendPool();
        uint256 claimable;
        uint256 held;
        uint256 last = vault.settlement().epoch + 1;
        for (uint256 epoch = 1; epoch <= last; ++epoch) {
            (uint256 queued, uint256 payable_, uint256 escrowed) = partsOf(epoch);
            units += queued;
            claimable += payable_;
            held += escrowed;
        }
        uint256 accounted = vault.accountedOf(address(token));
        vm.assertTrue(units + claimable <= accounted, "someone's units have no account");
        // Each claim leaves less than one unit behind.
        vm.assertTrue(accounted <= units + claimable + claims + last * 8, "units that are nobody's");
        vm.assertTrue(accounted <= token.balanceOf(address(vault)), "the accounts are not covered");
        uint256 accountedShares = vault.accountedOf(address(vault));
        vm.assertTrue(held <= accountedShares, "someone's shares have no account");
        vm.assertTrue(accountedShares <= held + claims + last * 8, "shares that are nobody's");
        vm.assertEq(accountedShares, shares.balanceOf(address(vault)), "shares in the vault");
    }

    /// @dev Assets queued, units claimable and shares held by the vault for the investors of one epoch, each rounded
    /// down.
    function partsOf(uint256 epoch) private view returns (uint256 queued, uint256 units, uint256 held) {
        if (isEmpty(epoch)) return (0, 0, 0);
        EpochState memory state = vault.epochOf(epoch);
        (, uint256[] memory amounts) = vault.payoutsOf(epoch);
        for (uint256 i; i < investors.length; ++i) {
            queued += vault.pendingDepositRequest(epoch, investors[i]);
            held += vault.pendingRedeemRequest(epoch, investors[i]);
            uint256 assets = vault.claimableDepositRequest(epoch, investors[i]);
            if (assets != 0) held += state.mintedShares * assets / state.depositAssets;
            uint256 redeemed = vault.claimableRedeemRequest(epoch, investors[i]);
            if (redeemed != 0 && amounts.length != 0) units += amounts[0] * redeemed / state.redeemShares;
        }
    }

    function checkDividends() external view {
        uint256 owed;
        for (uint256 i; i < investors.length; ++i) {
            owed += vault.dividendOf(investors[i]);
        }
        vm.assertTrue(owed + vault.dividendOf(FEES) + vault.dividendOf(CUSTODIAN) <= vault.dividendPool(), "dividends");
    }

    // ---- looking

    function investor(uint256 seed) private view returns (address) {
        return investors[Model.hash(seed) % investors.length];
    }

    function isEmpty(uint256 epoch) private view returns (bool) {
        EpochState memory state = vault.epochOf(epoch);
        return state.depositAssets == 0 && state.redeemShares == 0;
    }

    function stopped() private view returns (bool) {
        return vault.frozen() || vault.closed();
    }

    /// @dev All shares that are an investor's: his own, escrowed ones, and his part of those minted and not claimed,
    /// rounded up.
    function sharesOf(address account) private view returns (uint256 amount) {
        amount = shares.balanceOf(account);
        uint256 last = vault.settlement().epoch + 1;
        for (uint256 epoch = 1; epoch <= last; ++epoch) {
            if (isEmpty(epoch)) continue;
            amount += vault.pendingRedeemRequest(epoch, account);
            uint256 assets = vault.claimableDepositRequest(epoch, account);
            EpochState memory state = vault.epochOf(epoch);
            if (assets != 0) amount += state.mintedShares * assets / state.depositAssets;
        }
    }
}
