// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INavFeed} from "../../src/feeds/INavFeed.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @dev What the tests call of the factory; it is deployed from its artifact, like everything else.
interface IFeedFactory {
    event FeedCreated(
        address indexed feed, uint256 indexed fundId, bool indexed strict, uint8 decimals, address shares, address base
    );

    error NoRegistry(address registry);
    error BadFeedDecimals(uint256 decimals);
    error BadTokenDecimals(address token, uint256 decimals);

    function registry() external view returns (address);
    function feedCode() external view returns (address);
    function strictFeedCode() external view returns (address);
    function createFeed(uint256 fundId, uint8 decimals, bool strict) external returns (address feed);
    function feedOf(uint256 fundId, uint8 decimals, bool strict) external view returns (address feed, bool created);
}

/// @dev A factory beside the registry, and fund FUND: shares of 18 decimals, counted in a token of 6.
abstract contract FeedTest is RegistryTest {
    uint256 internal constant FUND = 700;
    uint256 internal constant PPS = 1_012_345_678_901_234_567;

    IFeedFactory internal factory;
    address internal shares;
    address internal base;
    INavFeed internal feed;
    INavFeed internal strict;

    function setUp() public virtual override {
        super.setUp();
        factory = IFeedFactory(create("NavFeedFactory", abi.encode(registry)));
        (shares, base) = (token(18), token(6));
        register(FUND, shares, base);
        (feed, strict) = (feedOf(FUND, 18, false), feedOf(FUND, 18, true));
        later(60);
        vm.assertEq(post(FUND, PPS), 0, "posted");
    }

    function create(string memory name, bytes memory arguments) internal returns (address made) {
        string memory artifact = vm.readFile(string.concat("abi/", name, ".json"));
        bytes memory creation = bytes.concat(vm.parseJsonBytes(artifact, ".bytecode"), arguments);
        assembly {
            made := create(0, add(creation, 32), mload(creation))
        }
    }

    function token(uint8 decimals) internal returns (address made) {
        made = create("Token", abi.encode("Token", "TKN", decimals));
        vm.assertTrue(made != address(0), "token");
    }

    /// @dev At the price that `setUp` posts, so that this post is within the bounds.
    function register(uint256 fundId, address shares_, address base_) internal {
        vm.prank(ADMIN);
        registry.registerFund(fundId, shares_, base_, 0, 1e6 * WAD, PPS, block.timestamp);
    }

    function feedOf(uint256 fundId, uint8 decimals, bool strict_) internal returns (INavFeed) {
        return INavFeed(factory.createFeed(fundId, decimals, strict_));
    }

    /// @dev A fund of its own at a price, with shares and a base of these decimals; returns its strict feed.
    function strictFeed(uint256 fundId, uint8 shareDecimals, uint8 baseDecimals, uint256 pps)
        internal
        returns (INavFeed)
    {
        (address shares_, address base_) = (token(shareDecimals), token(baseDecimals));
        vm.prank(ADMIN);
        registry.registerFund(fundId, shares_, base_, 0, 0, pps, block.timestamp);
        later(60);
        vm.assertEq(post(fundId, pps), 0, "posted");
        return feedOf(fundId, 18, true);
    }

    /// @dev Whether a call reverts with exactly these bytes.
    function refuses(address target, bytes memory call, bytes memory reason) internal view returns (bool) {
        (bool success, bytes memory answer) = target.staticcall(call);
        return !success && keccak256(answer) == keccak256(reason);
    }
}
