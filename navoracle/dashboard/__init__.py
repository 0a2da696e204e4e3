"""The dashboard: pages that show what the keeper knows, for the people who answer for a fund.

It reads. All that it writes is who takes care of an alert; signed requests it hands to the desk that takes all others.
What it shows comes from `navoracle.read_model`; every text from outside is shown as text.
Only this package imports NiceGUI, and only `navoracle.dashboard.attach` is imported by others.
"""
