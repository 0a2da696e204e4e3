"""The guards of the contracts that others run, computed as those contracts compute them: in integers, with their
roundings, so that what would be refused, stored or paused on is known before anything is sent.

One module per system. Each guard answers with a `GuardUse`: a bound with the part of it that is used, a wait with the
seconds passed and asked for. What a breach does (a revert, a pause, a flag) is said where the guard is.
"""
