"""What is said of a fund's risk: limits, readings, reports and the decisions of its NAV gate. Records only.

`navoracle.risk` computes them. Money and prices are Wad in the unit of account unless a field says otherwise; ratios
are Wad too (0.95 is 0.95e18).
"""
