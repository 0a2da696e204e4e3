// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {LagoonLayout} from "./LagoonLayout.sol";

/// @title LagoonGuardrails
/// @notice How far a Lagoon vault's price per share may move, as a rate for a year.
/// @dev Behaviour from hopperlabsxyz/lagoon-v0 src/v0.6.0/libraries/GuardrailsLib.sol.
abstract contract LagoonGuardrails is LagoonLayout {
    uint256 private constant ONE_YEAR = 31_556_952 seconds;
    uint256 private constant SCALE = 10 ** 18;

    event GuardrailsUpdated(Guardrails oldGuardrails, Guardrails newGuardrails);
    event GuardrailsStatusUpdated(bool activated);

    error LowerRateCannotBeInt256Min();

    /// @notice Whether a step of the price per share is within the rates. A whole number of such periods in a year
    /// makes it a year's: none once the period is longer than a year, and a panic for a period of no time.
    function isCompliant(uint256 currentPps, uint256 nextPps, uint256 timePast) public view returns (bool) {
        if (!_guardrails().activated) return true;
        Guardrails memory limits = _guardrails().guardrails;
        bool rising = nextPps >= currentPps;
        uint256 step = rising ? nextPps - currentPps : currentPps - nextPps;
        uint256 periods = ONE_YEAR / timePast;
        // A fall is measured only where falls are allowed.
        if (!rising && limits.lowerRate >= 0) return false;
        uint256 variation = step * periods * SCALE / currentPps;
        if (!rising) return variation <= uint256(-limits.lowerRate);
        return variation <= limits.upperRate && (limits.lowerRate < 0 || variation >= uint256(limits.lowerRate));
    }

    /// @notice Sets the rates; 1e18 is 100 % a year.
    function updateGuardrails(Guardrails calldata next) external onlySecurityCouncil {
        if (next.lowerRate == type(int256).min) revert LowerRateCannotBeInt256Min();
        emit GuardrailsUpdated(_guardrails().guardrails, next);
        _guardrails().guardrails = next;
    }

    /// @notice Turns the guardrails on or off; they are off at first.
    function updateActivated(bool activated) external onlySecurityCouncil {
        _guardrails().activated = activated;
        emit GuardrailsStatusUpdated(activated);
    }
}
