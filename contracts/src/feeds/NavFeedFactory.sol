// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {INavRegistry} from "../INavRegistry.sol";
import {FeedArguments, FeedArgumentsCodec, NO_DECIMALS} from "./FeedArguments.sol";
import {NavFeed} from "./NavFeed.sol";
import {NavFeedStrict} from "./NavFeedStrict.sol";

/// @title NavFeedFactory
/// @notice Creates the feeds of one registry's funds. Anyone may; a feed's address follows from what it is.
contract NavFeedFactory {
    /// @dev Most decimals of a token that the conversions are made for.
    uint256 private constant MAX_DECIMALS = 36;
    uint8 private constant USUAL_DECIMALS = 18;
    uint8 private constant CHAINLINK_DECIMALS = 8;
    /// @dev ERC-7726 writes a currency as the address of its ISO 4217 number, which has three digits: 840 is USD.
    uint160 private constant MAX_CURRENCY = 999;
    /// @dev ERC-7528's address of the chain's own coin.
    address private constant NATIVE_COIN = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

    /// @notice The registry that every feed reads.
    INavRegistry public immutable registry;
    /// @notice The code of the feeds that answer the last good value.
    address public immutable feedCode;
    /// @notice The code of the feeds that revert instead of answering a doubtful one.
    address public immutable strictFeedCode;

    /// @notice A feed was created.
    event FeedCreated(
        address indexed feed, uint256 indexed fundId, bool indexed strict, uint8 decimals, address shares, address base
    );

    /// @notice The registry's address has no code.
    error NoRegistry(address registry);
    /// @notice A feed answers with 18 or 8 decimals.
    error BadFeedDecimals(uint256 decimals);
    /// @notice The token has more decimals than conversions are made for.
    error BadTokenDecimals(address token, uint256 decimals);

    /// @param registry_ The registry whose funds get feeds.
    constructor(INavRegistry registry_) {
        if (address(registry_).code.length == 0) revert NoRegistry(address(registry_));
        registry = registry_;
        feedCode = address(new NavFeed(registry_));
        strictFeedCode = address(new NavFeedStrict(registry_));
    }

    /// @notice Creates a fund's feed, or finds the one that there is: a repeated call changes nothing.
    /// @param fundId A fund that is registered, closed or not.
    /// @param decimals Of `latestRoundData`: 18, or 8 as most Chainlink feeds have.
    /// @param strict Whether `latestRoundData` reverts when the value should not be relied on.
    function createFeed(uint256 fundId, uint8 decimals, bool strict) external returns (address feed) {
        FeedArguments memory arguments = _argumentsOf(fundId, decimals);
        bytes memory packed = FeedArgumentsCodec.pack(arguments);
        feed = _addressOf(packed, strict);
        if (feed.code.length != 0) return feed;
        Clones.cloneDeterministicWithImmutableArgs(_codeOf(strict), packed, 0);
        emit FeedCreated(feed, fundId, strict, decimals, arguments.shares, arguments.base);
    }

    /// @notice Where a fund's feed is, or will be. Parameters and errors as in `createFeed`.
    /// @dev The address covers the tokens' decimals, so a token that changed them leads to a new feed.
    function feedOf(uint256 fundId, uint8 decimals, bool strict) external view returns (address feed, bool created) {
        feed = _addressOf(FeedArgumentsCodec.pack(_argumentsOf(fundId, decimals)), strict);
        created = feed.code.length != 0;
    }

    function _argumentsOf(uint256 fundId, uint8 decimals) private view returns (FeedArguments memory) {
        if (decimals != USUAL_DECIMALS && decimals != CHAINLINK_DECIMALS) revert BadFeedDecimals(decimals);
        // Zero is a fund that was never registered; a larger id than 16 bits reverts here.
        if (registry.readRaw(fundId) == 0) revert INavRegistry.UnknownFund(fundId);
        (address shares, address base) = registry.fundOf(fundId);
        return FeedArguments({
            fundId: uint16(fundId),
            decimals: decimals,
            shareDecimals: _tokenDecimals(shares),
            baseDecimals: _baseDecimals(base, shares),
            shares: shares,
            base: base
        });
    }

    function _baseDecimals(address base, address shares) private view returns (uint8) {
        // Shares counted in themselves would be a price of one thing in the same thing.
        if (base == address(0) || base == shares) return NO_DECIMALS;
        if (uint160(base) <= MAX_CURRENCY || base == NATIVE_COIN) return USUAL_DECIMALS;
        return _tokenDecimals(base);
    }

    function _tokenDecimals(address token) private view returns (uint8) {
        (bool success, bytes memory answer) = token.staticcall(abi.encodeCall(IERC20Metadata.decimals, ()));
        // An address without code answers successfully, with nothing.
        if (!success || answer.length < 32) return NO_DECIMALS;
        uint256 found = abi.decode(answer, (uint256));
        if (found > MAX_DECIMALS) revert BadTokenDecimals(token, found);
        return uint8(found);
    }

    function _codeOf(bool strict) private view returns (address) {
        return strict ? strictFeedCode : feedCode;
    }

    function _addressOf(bytes memory packed, bool strict) private view returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(_codeOf(strict), packed, 0);
    }
}
