"""Publishers: the contracts that take a NAV, each behind the same port."""
