// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFundVault} from "../../../src/vault/IFundVault.sol";
import "../../../src/vault/VaultTypes.sol";
import {RegistryTest} from "../../support/RegistryTest.sol";
import {IShares, IToken, Quoter} from "./Doubles.sol";
import {FeeModel} from "./FeeModel.sol";

/// @dev A vault on the registry, its asset with six decimals, and a keeper who values the fund by what really is there:
/// the custodian's balance, idle and delivered units. The custodian is the manager.
abstract contract VaultTest is RegistryTest {
    uint256 internal constant FUND = 42;
    uint256 internal constant SCALE = 1e12;
    uint256 internal constant UNIT = 1e6;
    uint256 internal constant EPOCH_LENGTH = 1 days;
    uint256 internal constant MIN_DELAY = 1 hours;
    uint256 internal constant CANCEL_GRACE = 6 hours;
    address internal constant KEEPER = address(0x30);
    address internal constant CUSTODIAN = address(0x31);
    address internal constant FEES = address(0x32);
    address internal constant ALICE = address(0x41);
    address internal constant BOB = address(0x42);
    address internal constant CAROL = address(0x43);

    IFundVault internal vault;
    IShares internal shares;
    IToken internal token;
    IToken internal gold;
    Quoter internal quoter;

    function setUp() public virtual override {
        super.setUp();
        token = IToken(create("Token", abi.encode("USD Coin", "USDC", uint8(6))));
        gold = IToken(create("Token", abi.encode("Gold", "XAU", uint8(8))));
        quoter = new Quoter();
        quoter.setPrice(address(gold), 2000 * UNIT, 1e8);
        vault = IFundVault(create("FundVault", abi.encode("Fund", "FND", configuration())));
        vm.assertTrue(address(vault) != address(0), "the vault was deployed");
        shares = IShares(address(vault));
        vm.startPrank(ADMIN);
        registry.registerFund(FUND, address(vault), address(token), 0, 0, WAD, NOON);
        shares.grantRole(keccak256("KEEPER_ROLE"), KEEPER);
        shares.grantRole(keccak256("MANAGER_ROLE"), CUSTODIAN);
        shares.grantRole(keccak256("GUARDIAN_ROLE"), GUARDIAN);
        shares.grantRole(keccak256("RISK_ROLE"), RISK);
        vault.open();
        vm.stopPrank();
        approve(CUSTODIAN);
        later(60);
        postNav();
    }

    function configuration() internal view virtual returns (Configuration memory) {
        return Configuration({
            registry: address(registry),
            fundId: FUND,
            asset: address(token),
            admin: ADMIN,
            custodian: CUSTODIAN,
            feeRecipient: FEES,
            quoter: address(quoter),
            epochLength: uint32(EPOCH_LENGTH),
            minDelay: uint32(MIN_DELAY),
            limits: usualLimits(),
            feeTerms: terms()
        });
    }

    function usualLimits() internal pure returns (Limits memory) {
        return Limits({
            depositCap: uint128(10_000_000 * UNIT),
            minDeposit: uint128(UNIT),
            minSharePrice: 0.01e18,
            cancelGrace: uint32(CANCEL_GRACE),
            toleranceBps: 50,
            minConfidence: 80
        });
    }

    function terms() internal view virtual returns (FeeTerms memory) {
        return FeeTerms({managementRate: 0.02e18, performanceRate: 0.2e18, withdrawalRate: 0.001e18, capBps: 500});
    }

    /// @dev Deploys an artifact; the zero address where the constructor reverts.
    function create(string memory name, bytes memory arguments) internal returns (address deployed) {
        bytes memory code = vm.parseJsonBytes(vm.readFile(string.concat("abi/", name, ".json")), ".bytecode");
        bytes memory creation = bytes.concat(code, arguments);
        assembly {
            deployed := create(0, add(creation, 32), mload(creation))
        }
    }

    // ---- the keeper

    /// @dev What the fund holds, as a value, without queued assets: NAV_before but for fees.
    function grossValue() internal view returns (uint256) {
        (, uint256[] memory delivered, uint256[] memory idle) = vault.deliveries();
        uint256 usd = token.balanceOf(CUSTODIAN) + delivered[0] + idle[0];
        uint256 kind = gold.balanceOf(CUSTODIAN);
        if (delivered.length > 1) kind += delivered[1] + idle[1];
        return (usd + quoter.getQuote(kind, address(gold), address(token))) * SCALE;
    }

    /// @dev NAV_before net of the fees that the keeper accrues.
    function netValue(uint256 timestamp) internal view returns (uint256) {
        uint256 gross = grossValue();
        uint256 supply = shares.totalSupply();
        if (supply == 0) return gross;
        (FeeTerms memory current,) = vault.feeTerms();
        (uint256 mark, uint256 clock) = vault.feeState();
        (uint256 management, uint256 performance) = FeeModel.payable_(current, gross, supply, mark, timestamp - clock);
        uint256 due = management + performance;
        return gross > due ? gross - due : 0;
    }

    function postNav() internal {
        postNav(0);
    }

    /// @dev Posts what is true now, with RISK accepting a step beyond the bounds; `extra` is added to the NAV_after.
    function postNav(int256 extra) internal {
        uint256 before = netValue(block.timestamp);
        uint256 supply = shares.totalSupply();
        uint256 pps = supply == 0 ? WAD : before * WAD / supply;
        uint256 nav = uint256(int256(before + vault.settlement().depositAssets * SCALE) + extra);
        bytes memory posted = record(FUND, nav, pps, 95, false);
        if (postAt(block.timestamp, posted) == 0) return;
        vm.prank(RISK);
        registry.accept(FUND, header(block.timestamp), posted);
    }

    function components() internal view returns (uint104[5] memory parts) {
        (uint256 nav,,,,) = registry.read(FUND);
        parts[0] = uint104(nav);
    }

    function settle() internal {
        uint256 epoch = vault.settlement().epoch;
        uint104[5] memory parts = components();
        vm.prank(KEEPER);
        vault.settle(epoch, parts);
    }

    /// @dev Waits until the epoch can settle, delivers what is due, posts and settles.
    function runEpoch() internal returns (uint256 epoch) {
        epoch = vault.settlement().epoch;
        waitForSettlement();
        deliverDue();
        postNav();
        settle();
    }

    function waitForSettlement() internal {
        uint256 from = vault.settlement().settleableAt;
        vm.warp(from > block.timestamp + 60 ? from : block.timestamp + 60);
    }

    /// @dev Delivers, of the custodian's assets, enough for the epoch's redemptions at the true price.
    function deliverDue() internal {
        SettlementState memory state = vault.settlement();
        if (state.redeemShares == 0) return;
        uint256 due = netValue(block.timestamp) * state.redeemShares / state.supply / SCALE + 1;
        (, uint256[] memory delivered, uint256[] memory idle) = vault.deliveries();
        if (due <= delivered[0]) return;
        due -= delivered[0];
        uint256 held = token.balanceOf(CUSTODIAN);
        vm.startPrank(CUSTODIAN);
        if (held < due) {
            uint256 missing = due - held < idle[0] ? due - held : idle[0];
            if (missing != 0) vault.deliverFromIdle(state.epoch, address(token), missing);
        }
        if (held != 0) vault.deliver(state.epoch, address(token), held < due ? held : due);
        vm.stopPrank();
    }

    // ---- the investors

    function approve(address account) internal {
        vm.startPrank(account);
        token.approve(address(vault), type(uint256).max);
        gold.approve(address(vault), type(uint256).max);
        vm.stopPrank();
    }

    function deposit(address account, uint256 assets) internal returns (uint256 epoch) {
        token.mint(account, assets);
        approve(account);
        vm.prank(account);
        return vault.requestDeposit(assets, account, account);
    }

    function redeem(address account, uint256 amount) internal returns (uint256 epoch) {
        vm.prank(account);
        return vault.requestRedeem(amount, account, account);
    }

    function claim(address account, uint256 epoch) internal returns (uint256 amount) {
        vm.prank(account);
        return vault.claimDeposit(epoch, account, account);
    }

    function claimUnits(address account, uint256 epoch) internal returns (uint256 paid) {
        uint256 before = token.balanceOf(account);
        vm.prank(account);
        vault.claimRedemption(epoch, account, account);
        return token.balanceOf(account) - before;
    }

    /// @dev An investor with claimed shares; what was deposited lies with the custodian.
    function invested(address account, uint256 assets) internal returns (uint256 amount) {
        uint256 epoch = deposit(account, assets);
        runEpoch();
        vm.prank(CUSTODIAN);
        vault.deployIdle(address(token), assets);
        return claim(account, epoch);
    }

    function profit(uint256 assets) internal {
        token.mint(CUSTODIAN, assets);
    }

    // ---- refusals

    function selectorOf(address caller, bytes memory data) internal returns (bytes4 selector) {
        vm.prank(caller);
        (bool success, bytes memory answer) = address(vault).call(data);
        if (success) return 0;
        return bytes4(answer);
    }

    function refused(address caller, bytes memory data, bytes4 selector, string memory what) internal {
        vm.assertEq(bytes32(selectorOf(caller, data)), bytes32(selector), what);
    }

    function settleCall() internal view returns (bytes memory) {
        return abi.encodeWithSelector(vault.settle.selector, vault.settlement().epoch, components());
    }

    function refusedSettlement(bytes4 selector, string memory what) internal {
        refused(KEEPER, settleCall(), selector, what);
    }
}
