// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// The registry's words, bit by bit. Every name that other languages decode is a plain number here, so that the build can
// copy it into the artifact.
//
//   fund word   nav:104 | pps:88 | valuationTs:32 | dayDrift:16 | confidence:7 | profile:6 | status:3
//   slot 0      poster:160 | flags:8 | upBps:16 | downBps:16 | dayBps:16 | minInterval:20 | maxAge:20
//   header      valuationTs:32 << 16 | flags:8 << 8 | recordSize:8          (flags are reserved and zero)
//   record      fundId:16 | nav:104 | pps:88 | estimated:1 | confidence:7 [| navBefore:104] [| 5 x component:104]
//   posted word fundId:16 | nav:104 | pps:88 | estimated:1 | confidence:7 | valuationTs:32

// ---- fund word
uint256 constant NAV_SHIFT = 152;
uint256 constant PPS_SHIFT = 64;
uint256 constant VALUATION_TS_SHIFT = 32;
uint256 constant DAY_DRIFT_SHIFT = 16;
uint256 constant CONFIDENCE_SHIFT = 9;
uint256 constant PROFILE_SHIFT = 3;
uint256 constant NAV_MASK = 0xffffffffffffffffffffffffff;
uint256 constant PPS_MASK = 0xffffffffffffffffffffff;
uint256 constant VALUATION_TS_MASK = 0xffffffff;
uint256 constant DAY_DRIFT_MASK = 0xffff;
uint256 constant CONFIDENCE_MASK = 0x7f;
uint256 constant PROFILE_MASK = 0x3f;
uint256 constant STATUS_MASK = 0x7;
uint256 constant STATUS_LIVE = 1;
uint256 constant STATUS_HELD = 2;
uint256 constant STATUS_ESTIMATED = 4;
/// @dev Profile, live and held bits.
uint256 constant USUAL_MASK = 0x1fb;

// ---- slot 0 and guard profiles (a profile word is slot 0 without poster and flags)
uint256 constant POSTER_SHIFT = 96;
uint256 constant FLAGS_SHIFT = 88;
uint256 constant UP_BPS_SHIFT = 72;
uint256 constant DOWN_BPS_SHIFT = 56;
uint256 constant DAY_BPS_SHIFT = 40;
uint256 constant MIN_INTERVAL_SHIFT = 20;
uint256 constant BPS_MASK = 0xffff;
uint256 constant SECONDS_MASK = 0xfffff;
uint256 constant BOUNDS_MASK = 0xffffffffffffffffffffff;
uint256 constant FLAGS_MASK = 0xff;
uint256 constant FLAG_PAUSED = 1;
uint256 constant PROFILE_COUNT = 64;

/// @dev The widest bound, in bps: ten times it still fits the day drift's int16, so a stored drift never saturates.
uint256 constant MAX_BOUND_BPS = 3276;
/// @dev Day drift and steps are counted in tenths of a basis point: 1 is 0.001 %.
uint256 constant STEP_UNITS = 100000;
uint256 constant STEP_UNITS_PER_BPS = 10;
uint256 constant MAX_CONFIDENCE = 100;

// ---- header and records
uint256 constant HEADER_MASK = 0xffffffff00ff;
uint256 constant RECORD_SIZE_MASK = 0xff;
uint256 constant HEADER_TS_SHIFT = 16;
uint256 constant RECORD_SIZE = 27;
uint256 constant RECORD_SIZE_BEFORE = 40;
uint256 constant RECORD_SIZE_COMPONENTS = 92;
uint256 constant RECORD_SIZE_FULL = 105;
/// @dev The four sizes as a set of bits.
uint256 constant RECORD_SIZES =
    (1 << RECORD_SIZE) | (1 << RECORD_SIZE_BEFORE) | (1 << RECORD_SIZE_COMPONENTS) | (1 << RECORD_SIZE_FULL);
/// @dev In a word that begins with a record.
uint256 constant FUND_ID_SHIFT = 240;
uint256 constant POSTED_WORD_BITS = 248;

// ---- why a record was not stored, or why a fund is held (bits)
/// @dev Held: the step from the served price per share is beyond the bound for one post.
uint256 constant REASON_STEP = 1;
/// @dev Held: the signed sum of the UTC day's steps would pass the bound for a day.
uint256 constant REASON_DAY_DRIFT = 2;
/// @dev Ignored: newer than the served valuation, but by less than the profile's minimum interval.
uint256 constant REASON_TOO_EARLY = 4;
/// @dev Ignored: the fund was never registered (served word zero) or is closed.
uint256 constant REASON_NOT_LIVE = 8;
/// @dev Held by a guardian.
uint256 constant REASON_GUARDIAN = 16;
/// @dev Held: the price per share is zero; such a record can be discarded, never accepted.
uint256 constant REASON_ZERO_PPS = 32;
/// @dev Ignored: not newer than the served valuation (a repeated, late or duplicate record).
uint256 constant REASON_NOT_NEWER = 64;
/// @dev Ignored: the record is within bounds, but the fund's hold (its reasons are the other bits) needs RISK.
uint256 constant REASON_HELD = 128;
/// @dev Ignored: the confidence is above 100 %.
uint256 constant REASON_CONFIDENCE = 256;
/// @dev The reasons that hold a fund; all others leave it as it was.
uint256 constant REASONS_THAT_HOLD = 35;

// ---- roles (bits)
/// @dev May post. Never together with RISK or ADMIN.
uint256 constant ROLE_POSTER = 1;
/// @dev May accept or discard what is held, release a guardian's hold, pause and resume.
uint256 constant ROLE_RISK = 2;
/// @dev May hold funds and pause; never the reverse.
uint256 constant ROLE_GUARDIAN = 4;
/// @dev May register, close and reopen funds, set guard profiles, the poster and roles; a timelock in production.
uint256 constant ROLE_ADMIN = 8;
/// @dev A fund manager. No power here: the keeper knows by it who may sign a request to value a fund now.
uint256 constant ROLE_MANAGER = 16;
/// @dev A risk engine. No power here: the keeper knows by it who may sign a request to look after a large trade.
uint256 constant ROLE_ENGINE = 32;
uint256 constant ALL_ROLES = 63;
