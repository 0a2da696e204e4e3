// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Token} from "../Token.sol";
import {MellowOracle} from "./MellowOracle.sol";
import {MellowVault} from "./MellowVault.sol";

/// @title MellowSubmitter
/// @notice A double of Mellow's OracleSubmitter: reports go through it to the oracle, the base asset first, and its
/// answer is the inverse of the base asset's last trusted price.
/// @dev Behaviour from mellow-finance/flexible-vaults src/oracles/OracleSubmitter.sol. The submitter itself needs the
/// oracle's two roles on the vault.
contract MellowSubmitter is AccessControl {
    uint256 private constant WAD_SQUARED = 10 ** 36;
    address private constant NATIVE_ASSET = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

    MellowOracle public immutable oracle;
    address public immutable baseAsset;
    uint8 public immutable decimals;
    /// @notice 1e36 / price, rounded down; zero until a price of the base asset is trusted.
    int256 public latestAnswer;
    uint32 public updatedAt;
    /// @notice When a report was accepted, by its index in the asset's list; zero when it needed no acceptance.
    mapping(address asset => mapping(uint256 index => uint32)) public acceptedAt;
    mapping(address asset => MellowOracle.DetailedReport[]) private history;

    error ZeroBaseAsset();
    error InvalidOrder();

    constructor(address admin, address submitter, address accepter, MellowOracle oracle_) {
        oracle = oracle_;
        MellowVault vault = oracle_.vault();
        baseAsset = MellowVault(vault.feeManager()).baseAsset(address(vault));
        if (baseAsset == address(0)) revert ZeroBaseAsset();
        decimals = baseAsset == NATIVE_ASSET ? 18 : Token(baseAsset).decimals();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(oracle_.SUBMIT_REPORTS_ROLE(), submitter);
        _grantRole(oracle_.ACCEPT_REPORT_ROLE(), accepter);
    }

    /// @notice Reports to the oracle; the first report must be the base asset's.
    function submitReports(MellowOracle.Report[] calldata given) external onlyRole(oracle.SUBMIT_REPORTS_ROLE()) {
        if (given[0].asset != baseAsset) revert InvalidOrder();
        oracle.submitReports(given);
        for (uint256 i; i < given.length; ++i) {
            address asset = given[i].asset;
            MellowOracle.DetailedReport memory stored = oracle.getReport(asset);
            history[asset].push(stored);
            if (asset == baseAsset && !stored.isSuspicious) _answer(stored.priceD18);
        }
    }

    /// @notice Accepts suspicious reports; where the base asset is among them it must be first.
    function acceptReports(address[] calldata assets, uint224[] calldata pricesD18, uint32[] calldata timestamps)
        external
        onlyRole(oracle.ACCEPT_REPORT_ROLE())
    {
        for (uint256 i; i < assets.length; ++i) {
            address asset = assets[i];
            oracle.acceptReport(asset, pricesD18[i], timestamps[i]);
            if (asset == baseAsset) {
                if (i != 0) revert InvalidOrder();
                _answer(pricesD18[i]);
            }
            acceptedAt[asset][reports(asset) - 1] = uint32(block.timestamp);
        }
    }

    /// @notice How many reports of an asset went through here.
    function reports(address asset) public view returns (uint256) {
        return history[asset].length;
    }

    /// @notice One of them, as it was judged when submitted.
    function reportAt(address asset, uint256 index) external view returns (MellowOracle.DetailedReport memory) {
        return history[asset][index];
    }

    /// @notice The answer and its time; the round ids are always zero.
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (0, latestAnswer, updatedAt, updatedAt, 0);
    }

    function getRate() external view returns (uint256) {
        return uint256(latestAnswer);
    }

    function _answer(uint224 priceD18) private {
        latestAnswer = int256(WAD_SQUARED / priceD18);
        updatedAt = uint32(block.timestamp);
    }
}
