// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "../src/feeds/INavFeed.sol";
import "../src/NavLayout.sol";
import {FeedTest} from "./support/FeedTest.sol";
import {Model} from "./support/Model.sol";

contract FeedsFuzzTest is FeedTest {
    uint256 private constant OWN = 9;
    uint8[5] private DECIMALS = [0, 6, 8, 18, 27];

    /// @dev Prices of every magnitude that the field holds.
    function anyPrice(uint256 seed) private pure returns (uint256) {
        return Model.pick(seed, 1, PPS_MASK >> Model.pick(seed + 1, 0, 80));
    }

    /// @dev Amounts of every magnitude up to 128 bits.
    function anyAmount(uint256 seed) private pure returns (uint256) {
        return Model.pick(seed, 0, type(uint128).max >> Model.pick(seed + 1, 0, 120));
    }

    function anyFeed(uint256 seed)
        private
        returns (INavFeed own, uint256 pps, uint8 shareDecimals, uint8 baseDecimals)
    {
        pps = anyPrice(seed);
        shareDecimals = DECIMALS[Model.pick(seed + 2, 0, 4)];
        baseDecimals = DECIMALS[Model.pick(seed + 3, 0, 4)];
        own = strictFeed(OWN, shareDecimals, baseDecimals, pps);
    }

    /// @dev `out` is amount x factor / divisor rounded down: the products are compared in 512 bits, nothing is divided.
    function checkFloor(uint256 out, uint256 amount, uint256 factor, uint256 divisor) private pure {
        (uint256 high, uint256 low) = product(amount, factor);
        (uint256 outHigh, uint256 outLow) = product(out, divisor);
        vm.assertTrue(outHigh < high || (outHigh == high && outLow <= low), "more out than in");
        (uint256 nextHigh, uint256 nextLow) = product(out + 1, divisor);
        vm.assertTrue(nextHigh > high || (nextHigh == high && nextLow > low), "a unit too few");
    }

    /// @dev The 512-bit product of two numbers, by halves.
    function product(uint256 left, uint256 right) private pure returns (uint256 high, uint256 low) {
        (uint256 a, uint256 b) = (left >> 128, left & type(uint128).max);
        (uint256 c, uint256 d) = (right >> 128, right & type(uint128).max);
        unchecked {
            uint256 middle = a * d + ((b * d) >> 128);
            uint256 other = b * c + (middle & type(uint128).max);
            high = a * c + (middle >> 128) + (other >> 128);
            low = (other << 128) | ((b * d) & type(uint128).max);
        }
    }

    function testFuzz_getQuote__any_decimals_and_price__is_the_exact_value_rounded_down(uint256 anything) public {
        uint256 seed = Model.hash(anything);
        (INavFeed own, uint256 pps, uint8 shareDecimals, uint8 baseDecimals) = anyFeed(seed);
        (, address shares_,, address base_,) = own.fund();
        uint256 value = pps * 10 ** baseDecimals;
        uint256 whole = 10 ** (18 + uint256(shareDecimals));
        uint256 amount = anyAmount(seed + 9);
        checkFloor(own.getQuote(amount, shares_, base_), amount, value, whole);
        // Beyond this the shares would not fit 256 bits, and the quote must revert.
        bytes memory call = abi.encodeCall(own.getQuote, (amount, base_, shares_));
        (bool success, bytes memory answer) = address(own).staticcall(call);
        (uint256 high,) = product(amount, whole);
        vm.assertTrue(success == (high < value), "reverts exactly when it does not fit");
        if (success) checkFloor(abi.decode(answer, (uint256)), amount, whole, value);
    }

    function testFuzz_getQuote__there_and_back__never_gives_more_than_went_in(uint256 anything) public {
        uint256 seed = Model.hash(anything);
        (INavFeed own,,,) = anyFeed(seed);
        (, address shares_,, address base_,) = own.fund();
        uint256 amount = anyAmount(seed + 9) >> 40;
        vm.assertTrue(quoted(own, quoted(own, amount, shares_, base_), base_, shares_) <= amount, "shares");
        vm.assertTrue(quoted(own, quoted(own, amount, base_, shares_), shares_, base_) <= amount, "assets");
    }

    /// @dev Zero where the value does not fit: nothing is given out then.
    function quoted(INavFeed own, uint256 amount, address from, address to) private view returns (uint256) {
        (bool success, bytes memory answer) = address(own).staticcall(abi.encodeCall(own.getQuote, (amount, from, to)));
        return success ? abi.decode(answer, (uint256)) : 0;
    }

    function testFuzz_price__any_decimals_and_price__is_morphos_scale_rounded_down(uint256 anything) public {
        (INavFeed own, uint256 pps, uint8 shareDecimals, uint8 baseDecimals) = anyFeed(Model.hash(anything));
        uint256 whole = 10 ** (18 + uint256(baseDecimals));
        bytes memory zero = abi.encodeWithSelector(INavFeed.ZeroAnswer.selector, OWN, pps);
        if (pps * whole < 10 ** shareDecimals) {
            vm.assertTrue(refuses(address(own), abi.encodeCall(own.price, ()), zero), "zero");
        } else {
            checkFloor(own.price(), pps, whole, 10 ** shareDecimals);
        }
    }

    function testFuzz_price__what_morpho_makes_of_it__is_the_quote(uint256 anything) public {
        uint256 seed = Model.hash(anything);
        (INavFeed own,, uint8 shareDecimals,) = anyFeed(seed);
        // The price itself is exact then, and Morpho's own rounding is the only one.
        if (shareDecimals > 18) return;
        (, address shares_,, address base_,) = own.fund();
        uint256 amount = anyAmount(seed + 9) >> 64;
        if (amount != 0 && own.price() > type(uint256).max / amount) return;
        uint256 lent = amount * own.price() / 1e36;
        vm.assertEq(lent, own.getQuote(amount, shares_, base_), "the same value both ways");
    }

    function testFuzz_latestRoundData__any_price__is_the_price_rounded_down(uint256 anything) public {
        (INavFeed own, uint256 pps,,) = anyFeed(Model.hash(anything));
        (, int256 answer,,,) = own.latestRoundData();
        vm.assertEq(answer, int256(pps), "18 decimals");
        INavFeed eight = feedOf(OWN, 8, true);
        if (pps < 1e10) {
            bytes memory zero = abi.encodeWithSelector(INavFeed.ZeroAnswer.selector, OWN, pps);
            vm.assertTrue(refuses(address(eight), abi.encodeCall(eight.latestRoundData, ()), zero), "zero");
        } else {
            (, answer,,,) = eight.latestRoundData();
            vm.assertEq(answer, int256(pps / 1e10), "8 decimals");
        }
    }
}
