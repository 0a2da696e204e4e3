"""The risk monitor and the NAV gate: pure functions of a valued fund, its accounts elsewhere, and limits."""
