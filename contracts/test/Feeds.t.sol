// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "../src/feeds/INavFeed.sol";
import {INavRegistry} from "../src/INavRegistry.sol";
import "../src/NavLayout.sol";
import {FeedTest} from "./support/FeedTest.sol";

contract FeedsTest is FeedTest {
    bytes4 private constant PANIC = 0x4e487b71;

    function checkRound(INavFeed any, uint256 expected, uint256 valuationTs) private view {
        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) = any.latestRoundData();
        vm.assertEq(answer, int256(expected), "answer");
        vm.assertEq(uint256(roundId), valuationTs, "round");
        vm.assertEq(startedAt, valuationTs, "started");
        vm.assertEq(updatedAt, valuationTs, "updated");
        vm.assertEq(uint256(answeredIn), valuationTs, "answered in");
    }

    /// @dev The feed still answers the value of before; the strict one and every rate of both revert with this error.
    function checkDoubtful(bytes memory reason, uint256 expected, uint256 valuationTs) private view {
        checkRound(feed, expected, valuationTs);
        bytes memory round = abi.encodeCall(strict.latestRoundData, ());
        vm.assertTrue(refuses(address(strict), round, reason), "strict round");
        bytes memory thisRound = abi.encodeCall(strict.getRoundData, (uint80(valuationTs)));
        vm.assertTrue(refuses(address(strict), thisRound, reason), "strict round by id");
        address[2] memory both = [address(feed), address(strict)];
        bytes memory untrusted = abi.encodeWithSelector(INavFeed.OracleUntrustedData.selector, shares, base);
        for (uint256 i; i < 2; ++i) {
            vm.assertTrue(refuses(both[i], abi.encodeCall(feed.getRate, ()), reason), "rate");
            vm.assertTrue(refuses(both[i], abi.encodeCall(feed.price, ()), reason), "price");
            vm.assertTrue(refuses(both[i], abi.encodeCall(feed.getQuote, (1, shares, base)), untrusted), "quote");
            vm.assertTrue(refuses(both[i], abi.encodeCall(feed.getQuotes, (1, shares, base)), untrusted), "quotes");
        }
    }

    // ---- latestRoundData

    function test_latestRoundData__both_flavours__give_the_price_under_its_own_valuation_time() public {
        uint256 valuationTs = timeOf(FUND);
        later(600);
        checkRound(feed, PPS, valuationTs);
        checkRound(strict, PPS, valuationTs);
    }

    function test_latestRoundData__eight_decimals__rounds_down() public {
        INavFeed eight = feedOf(FUND, 8, true);
        vm.assertEq(uint256(eight.decimals()), 8, "decimals");
        checkRound(eight, 101_234_567, timeOf(FUND));
        checkRound(feedOf(FUND, 8, false), 101_234_567, timeOf(FUND));
    }

    function test_latestRoundData__price_under_one_unit__reverts_instead_of_answering_zero() public {
        vm.prank(ADMIN);
        registry.registerFund(8, shares, base, 0, 0, 1e10 - 1, block.timestamp);
        bytes memory reason = abi.encodeWithSelector(INavFeed.ZeroAnswer.selector, 8, 1e10 - 1);
        INavFeed eight = feedOf(8, 8, false);
        vm.assertTrue(refuses(address(eight), abi.encodeCall(eight.latestRoundData, ()), reason), "zero");
        checkRound(feedOf(8, 18, false), 1e10 - 1, block.timestamp);
    }

    function test_latestRoundData__next_post__is_a_later_round() public {
        uint256 valuationTs = later(60);
        vm.assertEq(post(FUND, PPS + 7), 0, "posted");
        checkRound(feed, PPS + 7, valuationTs);
        checkRound(strict, PPS + 7, valuationTs);
    }

    function test_getRoundData__present_round_alone__is_served() public view {
        uint80 present = uint80(timeOf(FUND));
        (uint80 roundId, int256 answer,,,) = feed.getRoundData(present);
        vm.assertEq(uint256(roundId), present, "round");
        vm.assertEq(answer, int256(PPS), "answer");
        uint80[3] memory others = [0, present - 1, present + 1];
        for (uint256 i; i < 3; ++i) {
            bytes memory reason = abi.encodeWithSelector(INavFeed.RoundNotServed.selector, others[i], present);
            vm.assertTrue(refuses(address(feed), abi.encodeCall(feed.getRoundData, (others[i])), reason), "other");
            vm.assertTrue(refuses(address(strict), abi.encodeCall(feed.getRoundData, (others[i])), reason), "strict");
        }
    }

    // ---- when the value should not be relied on

    function test_feeds__held_by_a_breach__serve_the_old_value_or_revert() public {
        uint256 valuationTs = timeOf(FUND);
        later(60);
        vm.assertEq(post(FUND, 2 * PPS), REASON_STEP | REASON_DAY_DRIFT, "held");
        checkDoubtful(abi.encodeWithSelector(INavRegistry.FundIsHeld.selector, FUND), PPS, valuationTs);
    }

    function test_feeds__held_by_a_guardian__serve_the_old_value_or_revert() public {
        holdByGuardian(FUND);
        checkDoubtful(abi.encodeWithSelector(INavRegistry.FundIsHeld.selector, FUND), PPS, timeOf(FUND));
    }

    function test_feeds__paused__serve_the_old_value_or_revert() public {
        vm.prank(GUARDIAN);
        registry.setPaused(true);
        checkDoubtful(abi.encodeWithSelector(INavRegistry.Paused.selector), PPS, timeOf(FUND));
    }

    function test_feeds__estimated__serve_it_or_revert() public {
        uint256 valuationTs = later(60);
        vm.assertEq(postAt(valuationTs, record(FUND, 1e6 * WAD, PPS - 1, 40, true)), 0, "posted");
        checkDoubtful(abi.encodeWithSelector(INavRegistry.FundIsEstimated.selector, FUND), PPS - 1, valuationTs);
    }

    function test_feeds__stale_by_a_second__serve_the_old_value_or_revert() public {
        uint256 valuationTs = timeOf(FUND);
        later(3600);
        checkRound(strict, PPS, valuationTs);
        vm.assertEq(feed.getRate(), PPS, "the last second");
        later(1);
        checkDoubtful(
            abi.encodeWithSelector(INavRegistry.FundIsStale.selector, FUND, valuationTs, 3600), PPS, valuationTs
        );
    }

    function test_feeds__closed__serve_the_old_value_or_revert() public {
        vm.prank(ADMIN);
        registry.closeFund(FUND);
        checkDoubtful(abi.encodeWithSelector(INavRegistry.FundIsClosed.selector, FUND), PPS, timeOf(FUND));
    }

    // ---- rates

    function test_getRate__fresh__is_the_price_per_share() public view {
        vm.assertEq(feed.getRate(), PPS, "feed");
        vm.assertEq(strict.getRate(), PPS, "strict");
    }

    function test_price__shares_of_18_against_6_decimals__is_scaled_as_morpho_says() public view {
        // 36 + 6 - 18 = 24 decimals of precision
        vm.assertEq(feed.price(), 1_012_345_678_901_234_567_000_000, "feed");
        vm.assertEq(strict.price(), feed.price(), "strict");
        // What Morpho makes of it: 1,000 shares in raw units of the loan token.
        vm.assertEq(1_000e18 * feed.price() / 1e36, 1_012_345_678, "value");
    }

    function test_price__shares_of_36_against_0_decimals__rounds_down_and_is_never_zero() public {
        vm.assertEq(strictFeed(8, 36, 0, PPS).price(), 1, "1.01 down");
        INavFeed low = strictFeed(9, 36, 0, WAD - 1);
        bytes memory reason = abi.encodeWithSelector(INavFeed.ZeroAnswer.selector, 9, WAD - 1);
        vm.assertTrue(refuses(address(low), abi.encodeCall(low.price, ()), reason), "zero");
    }

    // ---- quotes

    function test_getQuote__both_directions__round_down() public view {
        // 1.012345678901234567 USDC a share: 3 shares are 3.037037036.. USDC, 1 USDC is 0.98780487.. shares.
        vm.assertEq(feed.getQuote(3e18, shares, base), 3_037_037, "shares to asset");
        vm.assertEq(feed.getQuote(1e6, base, shares), 987_804_878_157_198_097, "asset to shares");
        vm.assertEq(feed.getQuote(1, shares, base), 0, "dust");
        (uint256 bid, uint256 ask) = strict.getQuotes(3e18, shares, base);
        vm.assertEq(bid, 3_037_037, "bid");
        vm.assertEq(ask, 3_037_037, "ask");
    }

    function test_getQuote__any_other_pair__is_unsupported() public {
        address[2][6] memory pairs =
            [[shares, shares], [base, base], [shares, VAULT], [VAULT, base], [base, VAULT], [address(0), shares]];
        for (uint256 i; i < pairs.length; ++i) {
            (address from, address to) = (pairs[i][0], pairs[i][1]);
            bytes memory reason = abi.encodeWithSelector(INavFeed.OracleUnsupportedPair.selector, from, to);
            vm.assertTrue(refuses(address(feed), abi.encodeCall(feed.getQuote, (1, from, to)), reason), "pair");
        }
        holdByGuardian(FUND);
        bytes memory still = abi.encodeWithSelector(INavFeed.OracleUnsupportedPair.selector, shares, VAULT);
        bytes memory call = abi.encodeCall(feed.getQuote, (1, shares, VAULT));
        vm.assertTrue(refuses(address(feed), call, still), "the pair is judged first");
    }

    function test_getQuote__result_beyond_256_bits__reverts() public view {
        bytes memory call = abi.encodeCall(feed.getQuote, (type(uint256).max, base, shares));
        vm.assertTrue(refuses(address(feed), call, abi.encodeWithSelector(PANIC, 0x11)), "overflow");
        // The same amount of shares is worth less than their number: no intermediate result overflows.
        vm.assertTrue(feed.getQuote(type(uint256).max, shares, base) > 0, "fits");
    }

    function test_pair__fund_without_base__has_a_rate_and_no_price() public {
        register(8, shares, address(0));
        checkWithoutPair(8, shares, address(0));
    }

    function test_pair__vault_that_is_no_token__has_a_rate_and_no_price() public {
        register(8, address(factory), base);
        checkWithoutPair(8, address(factory), base);
        register(9, address(0xABCDEF), base);
        checkWithoutPair(9, address(0xABCDEF), base);
    }

    function test_pair__fund_counted_in_its_own_shares__has_a_rate_and_no_price() public {
        register(8, shares, shares);
        checkWithoutPair(8, shares, shares);
    }

    function checkWithoutPair(uint256 fundId, address shares_, address base_) private {
        later(60);
        vm.assertEq(post(fundId, PPS), 0, "posted");
        INavFeed own = feedOf(fundId, 18, true);
        checkRound(own, PPS, block.timestamp);
        vm.assertEq(own.getRate(), PPS, "rate");
        bytes memory reason = abi.encodeWithSelector(INavFeed.NoPair.selector, fundId);
        vm.assertTrue(refuses(address(own), abi.encodeCall(own.price, ()), reason), "price");
        reason = abi.encodeWithSelector(INavFeed.OracleUnsupportedPair.selector, shares_, base_);
        vm.assertTrue(refuses(address(own), abi.encodeCall(own.getQuote, (1, shares_, base_)), reason), "quote");
    }

    function test_pair__base_that_is_a_currency_or_the_native_coin__has_18_decimals() public {
        address[2] memory bases = [address(840), 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE];
        for (uint256 i; i < 2; ++i) {
            register(10 + i, shares, bases[i]);
            later(60);
            vm.assertEq(post(10 + i, PPS), 0, "posted");
            vm.assertEq(feedOf(10 + i, 18, true).getQuote(1e18, shares, bases[i]), PPS, "quote");
        }
        register(12, shares, address(1000));
        (,,,, uint8 decimals) = feedOf(12, 18, true).fund();
        vm.assertEq(uint256(decimals), 255, "no currency");
    }
}
