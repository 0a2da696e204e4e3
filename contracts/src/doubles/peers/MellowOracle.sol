// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {MellowVault} from "./MellowVault.sol";

/// @title MellowOracle
/// @notice A double of Mellow's Oracle: prices are shares for an asset (`shares = assets * priceD18 / 1e18`), guarded
/// by two bands. Beyond the outer band a report reverts; between the two it is stored, flagged and kept from the vault.
/// @dev Behaviour from mellow-finance/flexible-vaults src/oracles/Oracle.sol, without its proxy and without the removal
/// of assets.
contract MellowOracle {
    using EnumerableSet for EnumerableSet.AddressSet;

    bytes32 public constant SUBMIT_REPORTS_ROLE = keccak256("oracles.Oracle.SUBMIT_REPORTS_ROLE");
    bytes32 public constant ACCEPT_REPORT_ROLE = keccak256("oracles.Oracle.ACCEPT_REPORT_ROLE");
    bytes32 public constant SET_SECURITY_PARAMS_ROLE = keccak256("oracles.Oracle.SET_SECURITY_PARAMS_ROLE");
    bytes32 public constant ADD_SUPPORTED_ASSETS_ROLE = keccak256("oracles.Oracle.ADD_SUPPORTED_ASSETS_ROLE");
    uint256 private constant WAD = 10 ** 18;

    /// @notice Absolute deviations are in units of priceD18, relative ones in 1e18, times in seconds.
    struct SecurityParams {
        uint224 maxAbsoluteDeviation;
        uint224 suspiciousAbsoluteDeviation;
        uint64 maxRelativeDeviationD18;
        uint64 suspiciousRelativeDeviationD18;
        uint32 timeout;
        uint32 depositInterval;
        uint32 redeemInterval;
    }

    struct Report {
        address asset;
        uint224 priceD18;
    }

    struct DetailedReport {
        uint224 priceD18;
        uint32 timestamp;
        bool isSuspicious;
    }

    /// @notice The vault that reports go to, and whose roles count here.
    MellowVault public vault;
    SecurityParams private params;
    EnumerableSet.AddressSet private assets;
    mapping(address asset => DetailedReport) private reports_;

    event ReportsSubmitted(Report[] reports);
    event ReportAccepted(address indexed asset, uint224 indexed priceD18, uint32 indexed timestamp);
    event SecurityParamsSet(SecurityParams securityParams);
    event SupportedAssetsAdded(address[] assets);
    event SetVault(address indexed vault);

    error UnsupportedAsset(address asset);
    error AlreadySupportedAsset(address asset);
    error InvalidReport();
    error ZeroValue();
    error TooEarly(uint256 timestamp, uint256 minTimestamp);
    error InvalidPrice(uint256 priceD18);
    error Forbidden();
    error InvalidInitialization();

    modifier onlyRole(bytes32 role) {
        if (!vault.hasRole(role, msg.sender)) revert Forbidden();
        _;
    }

    constructor(SecurityParams memory securityParams_, address[] memory assets_) {
        _setSecurityParams(securityParams_);
        _addSupportedAssets(assets_);
    }

    /// @notice Names the vault, once.
    function setVault(MellowVault vault_) external {
        if (address(vault_) == address(0)) revert ZeroValue();
        if (address(vault) != address(0)) revert InvalidInitialization();
        vault = vault_;
        emit SetVault(address(vault_));
    }

    /// @notice Stores reports; all of them or, when one is refused, none.
    function submitReports(Report[] calldata reports) external onlyRole(SUBMIT_REPORTS_ROLE) {
        uint32 depositTimestamp = uint32(block.timestamp - params.depositInterval);
        uint32 redeemTimestamp = uint32(block.timestamp - params.redeemInterval);
        for (uint256 i; i < reports.length; ++i) {
            (address asset, uint224 price) = (reports[i].asset, reports[i].priceD18);
            if (!assets.contains(asset)) revert UnsupportedAsset(asset);
            if (_store(price, reports_[asset])) {
                vault.handleReport(asset, price, depositTimestamp, redeemTimestamp);
            }
        }
        emit ReportsSubmitted(reports);
    }

    /// @notice Clears a suspicious report of exactly this price and time and tells the vault.
    function acceptReport(address asset, uint256 priceD18, uint32 timestamp) external onlyRole(ACCEPT_REPORT_ROLE) {
        DetailedReport storage report = reports_[asset];
        bool matches = report.priceD18 == priceD18 && report.timestamp == timestamp;
        if (!report.isSuspicious || !matches) revert InvalidReport();
        report.isSuspicious = false;
        vault.handleReport(
            asset, report.priceD18, timestamp - params.depositInterval, timestamp - params.redeemInterval
        );
        emit ReportAccepted(asset, report.priceD18, timestamp);
    }

    /// @notice Sets bands and times; none may be zero.
    function setSecurityParams(SecurityParams calldata params_) external onlyRole(SET_SECURITY_PARAMS_ROLE) {
        _setSecurityParams(params_);
    }

    /// @notice Adds assets that may be reported.
    function addSupportedAssets(address[] calldata assets_) external onlyRole(ADD_SUPPORTED_ASSETS_ROLE) {
        _addSupportedAssets(assets_);
    }

    function securityParams() external view returns (SecurityParams memory) {
        return params;
    }

    function supportedAssets() external view returns (uint256) {
        return assets.length();
    }

    function supportedAssetAt(uint256 index) external view returns (address) {
        return assets.at(index);
    }

    function isSupportedAsset(address asset) external view returns (bool) {
        return assets.contains(asset);
    }

    /// @notice The latest report, trusted or not.
    function getReport(address asset) external view returns (DetailedReport memory) {
        if (!assets.contains(asset)) revert UnsupportedAsset(asset);
        return reports_[asset];
    }

    /// @notice How a price would be judged now, the timeout left out.
    function validatePrice(uint256 priceD18, address asset) external view returns (bool isValid, bool isSuspicious) {
        if (assets.contains(asset)) (isValid, isSuspicious) = _judge(priceD18, reports_[asset]);
    }

    /// @dev Stores a price over a report; whether the vault is to hear of it.
    function _store(uint224 price, DetailedReport storage report) private returns (bool) {
        uint256 earliest = uint256(params.timeout) + report.timestamp;
        // A suspicious report may be overwritten at any time.
        if (report.timestamp != 0 && !report.isSuspicious && block.timestamp < earliest) {
            revert TooEarly(block.timestamp, earliest);
        }
        (bool valid, bool suspicious) = _judge(price, report);
        if (!valid) revert InvalidPrice(price);
        report.priceD18 = price;
        report.timestamp = uint32(block.timestamp);
        report.isSuspicious = suspicious;
        return !suspicious;
    }

    /// @dev Deviations are from the last stored price, also where nobody accepted that. The relative one rounds down.
    function _judge(uint256 price, DetailedReport storage report) private view returns (bool valid, bool suspicious) {
        uint256 last = report.priceD18;
        if (last == 0) return (true, true);
        uint256 absolute = price > last ? price - last : last - price;
        uint256 relative = Math.mulDiv(absolute, WAD, last);
        if (absolute > params.maxAbsoluteDeviation || relative > params.maxRelativeDeviationD18) return (false, false);
        suspicious = report.isSuspicious || absolute > params.suspiciousAbsoluteDeviation
            || relative > params.suspiciousRelativeDeviationD18;
        return (true, suspicious);
    }

    function _setSecurityParams(SecurityParams memory given) private {
        bool bands = given.maxAbsoluteDeviation != 0 && given.suspiciousAbsoluteDeviation != 0
            && given.maxRelativeDeviationD18 != 0 && given.suspiciousRelativeDeviationD18 != 0;
        bool times = given.timeout != 0 && given.depositInterval != 0 && given.redeemInterval != 0;
        if (!bands || !times) revert ZeroValue();
        params = given;
        emit SecurityParamsSet(given);
    }

    function _addSupportedAssets(address[] memory added) private {
        for (uint256 i; i < added.length; ++i) {
            if (!assets.add(added[i])) revert AlreadySupportedAsset(added[i]);
        }
        emit SupportedAssetsAdded(added);
    }
}
