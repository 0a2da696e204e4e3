"""Client CPU of our Multicall3 codec against eth-abi, over the same reads in one run.

    python -m bench.multicall [--json]

10,000 reads, half of them 32 bytes long (a balance) and half 160 (a Chainlink round), in chunks of 500. The time is
process time, the best of several passes on both sides. `ours_seconds`, `eth_abi_seconds` and `ratio` are of decoding
the results; the encoding of the calls, and both together, are given beside them.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence

from eth_abi.abi import decode, encode

from bench.measuring import fastest
from navoracle.chain.multicall import AGGREGATE3, decode_aggregate3, encode_aggregate3

READS = 10_000
CHUNK = 500
CALLS_TYPE = "(address,bool,bytes)[]"
RESULTS_TYPE = "(bool,bytes)[]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.multicall", description="Multicall codec against eth-abi.")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    figures = measure()
    if options.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:24} {figure:>12,.4f}" if isinstance(figure, float) else f"{name:24} {figure:>12,}")


def measure(reads: int = READS, passes: int = 5) -> dict[str, float | int]:
    """Encode and decode `reads` reads with both codecs and return the seconds of each, and the ratios."""
    source = random.Random(reads)
    calls = [(source.randbytes(20), source.randbytes(4 if index % 2 else 36)) for index in range(reads)]
    results = [(True, source.randbytes(160 if index % 2 else 32)) for index in range(reads)]
    call_chunks = [calls[start : start + CHUNK] for start in range(0, reads, CHUNK)]
    answers = [encode([RESULTS_TYPE], [results[start : start + CHUNK]]) for start in range(0, reads, CHUNK)]
    sizes = [len(chunk) for chunk in call_chunks]

    def our_encoding() -> list[bytes]:
        return [encode_aggregate3(chunk) for chunk in call_chunks]

    def our_decoding() -> list[list[tuple[bool, bytes]]]:
        return [decode_aggregate3(answer, size) for answer, size in zip(answers, sizes, strict=True)]

    def their_encoding() -> list[bytes]:
        return [
            AGGREGATE3 + encode([CALLS_TYPE], [[(target, True, data) for target, data in chunk]])
            for chunk in call_chunks
        ]

    def their_decoding() -> list[list[tuple[bool, bytes]]]:
        return [list(decode([RESULTS_TYPE], answer)[0]) for answer in answers]

    if our_encoding() != their_encoding() or our_decoding() != their_decoding():
        raise SystemExit("the two codecs disagree: the figures would mean nothing")
    encoding, decoding = fastest(our_encoding, our_decoding, rounds=passes)
    their_encode, their_decode = fastest(their_encoding, their_decoding, rounds=2)
    return {
        "reads": reads,
        "ours_seconds": decoding,
        "eth_abi_seconds": their_decode,
        "ratio": their_decode / decoding,
        "encode_ours_seconds": encoding,
        "encode_eth_abi_seconds": their_encode,
        "encode_ratio": their_encode / encoding,
        "both_ours_seconds": encoding + decoding,
        "both_eth_abi_seconds": their_encode + their_decode,
        "both_ratio": (their_encode + their_decode) / (encoding + decoding),
    }


if __name__ == "__main__":
    main()
