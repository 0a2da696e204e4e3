// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "../src/feeds/INavFeed.sol";
import {INavRegistry} from "../src/INavRegistry.sol";
import {FeedTest, IFeedFactory} from "./support/FeedTest.sol";
import {Vm} from "./support/Vm.sol";

interface IToken {
    function setDecimals(uint8 decimals) external;
}

contract FeedFactoryTest is FeedTest {
    function test_factory__once_deployed__names_its_registry_and_codes() public {
        vm.assertTrue(factory.registry() == address(registry), "registry");
        vm.assertTrue(address(INavFeed(factory.feedCode()).registry()) == address(registry), "code");
        vm.assertTrue(address(INavFeed(factory.strictFeedCode()).registry()) == address(registry), "strict code");
        vm.assertTrue(create("NavFeedFactory", abi.encode(address(0xABCDEF))) == address(0), "no registry");
    }

    function test_createFeed__by_anyone__says_what_it_made() public {
        (address predicted, bool before) = factory.feedOf(FUND, 8, true);
        vm.recordLogs();
        vm.prank(address(0xF));
        address made = factory.createFeed(FUND, 8, true);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (address found, bool created) = factory.feedOf(FUND, 8, true);
        vm.assertTrue(!before && created, "created");
        vm.assertTrue(predicted == made && found == made, "address");
        vm.assertEq(logs.length, 1, "one event");
        vm.assertEq(logs[0].topics[0], IFeedFactory.FeedCreated.selector, "event");
        vm.assertEq(uint256(logs[0].topics[1]), uint160(made), "feed");
        vm.assertEq(uint256(logs[0].topics[2]), FUND, "fund");
        vm.assertEq(uint256(logs[0].topics[3]), 1, "strict");
        vm.assertEq(logs[0].data, abi.encode(8, shares, base), "terms");
    }

    function test_createFeed__repeated__finds_the_feed_and_says_nothing() public {
        vm.recordLogs();
        vm.assertTrue(factory.createFeed(FUND, 18, true) == address(strict), "same");
        vm.assertEq(vm.getRecordedLogs().length, 0, "no event");
    }

    function test_createFeed__each_kind__has_an_address_and_a_description_of_its_own() public {
        INavFeed[4] memory feeds = [feed, strict, feedOf(FUND, 8, false), feedOf(FUND, 8, true)];
        for (uint256 i; i < 4; ++i) {
            bool isStrict = i % 2 == 1;
            vm.assertTrue(address(feeds[i].registry()) == address(registry), "registry");
            vm.assertTrue(feeds[i].isStrict() == isStrict, "flavour");
            vm.assertEq(uint256(feeds[i].decimals()), i < 2 ? 18 : 8, "decimals");
            vm.assertEq(feeds[i].version(), 1, "version");
            string memory told = isStrict ? "NAV per share of fund 700 (strict)" : "NAV per share of fund 700";
            vm.assertEq(bytes(feeds[i].description()), bytes(told), "description");
            (uint256 fundId, address shares_, uint8 shareDecimals, address base_, uint8 baseDecimals) = feeds[i].fund();
            vm.assertTrue(fundId == FUND && shares_ == shares && base_ == base, "fund");
            vm.assertTrue(shareDecimals == 18 && baseDecimals == 6, "token decimals");
            for (uint256 j; j < i; ++j) {
                vm.assertTrue(address(feeds[i]) != address(feeds[j]), "address");
            }
        }
    }

    function test_createFeed__unknown_fund_or_decimals__is_refused() public view {
        checkRefused(701, 18, abi.encodeWithSelector(INavRegistry.UnknownFund.selector, 701));
        checkRefused(65_536 + FUND, 18, abi.encodeWithSelector(INavRegistry.UnknownFund.selector, 65_536 + FUND));
        uint8[5] memory others = [0, 6, 9, 19, 255];
        for (uint256 i; i < others.length; ++i) {
            checkRefused(FUND, others[i], abi.encodeWithSelector(IFeedFactory.BadFeedDecimals.selector, others[i]));
        }
    }

    function test_createFeed__token_of_37_decimals__is_refused() public {
        address odd = token(37);
        bytes memory reason = abi.encodeWithSelector(IFeedFactory.BadTokenDecimals.selector, odd, 37);
        register(8, odd, base);
        register(9, shares, odd);
        checkRefused(8, 18, reason);
        checkRefused(9, 18, reason);
    }

    function checkRefused(uint256 fundId, uint8 decimals, bytes memory reason) private view {
        address target = address(factory);
        vm.assertTrue(refuses(target, abi.encodeCall(factory.feedOf, (fundId, decimals, true)), reason), "feedOf");
        vm.assertTrue(
            refuses(target, abi.encodeCall(factory.createFeed, (fundId, decimals, true)), reason), "createFeed"
        );
    }

    function test_feed__token_that_changes_its_decimals__keeps_those_of_its_creation() public {
        uint256 price = feed.price();
        IToken(base).setDecimals(18);
        vm.assertEq(feed.price(), price, "price");
        (address other, bool created) = factory.feedOf(FUND, 18, false);
        vm.assertTrue(other != address(feed) && !created, "another feed for other decimals");
    }

    function test_code__called_at_its_own_address__is_no_feed() public view {
        bytes memory reason = abi.encodeWithSelector(INavFeed.NotAFeed.selector);
        address[2] memory codes = [factory.feedCode(), factory.strictFeedCode()];
        for (uint256 i; i < 2; ++i) {
            vm.assertTrue(refuses(codes[i], abi.encodeCall(feed.latestRoundData, ()), reason), "round");
            vm.assertTrue(refuses(codes[i], abi.encodeCall(feed.decimals, ()), reason), "decimals");
            vm.assertTrue(refuses(codes[i], abi.encodeCall(feed.getRate, ()), reason), "rate");
            vm.assertTrue(refuses(codes[i], abi.encodeCall(feed.price, ()), reason), "price");
            vm.assertTrue(refuses(codes[i], abi.encodeCall(feed.getQuote, (1, shares, base)), reason), "quote");
        }
    }
}
