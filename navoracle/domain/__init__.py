"""The pure core: integers in, frozen values out. No I/O, no clock, no logging, no globals."""
