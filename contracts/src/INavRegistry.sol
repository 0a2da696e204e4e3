// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title INavRegistry
/// @notice Net asset values of many funds, one storage word each, posted by a keeper within bounds that it cannot change.
/// @dev `NavLayout.sol` gives every word bit by bit and explains the reason codes. nav, pps and components are scaled by
/// 1e18; times are Unix seconds; confidence is 0..100 percent. The price per share (pps) is what the guard watches.
///
/// A call is matched with the functions in the order of their selectors, at 22 gas each. The signatures that were free to
/// choose (administration and cold reads) were chosen to come after `postOne`, whose limit leaves no room for more.
///
/// A record that breaks a bound never reverts its batch and is never stored. A breach of a price bound HOLDS the fund: the
/// old value stays served under its old valuation time. A record that is merely repeated, early, malformed or for a fund
/// that is not live is IGNORED: a second keeper or a late transaction must not stop a healthy fund.
interface INavRegistry {
    /// @notice Guard bounds of a profile: bps of the served pps for one post up, one post down and the signed sum of a UTC
    /// day (each 1..3276, inclusive), seconds between valuations (at least 1), and the age in seconds at which readers
    /// that ask for a fresh value are refused (more than `minInterval`).
    struct Bounds {
        uint16 upBps;
        uint16 downBps;
        uint16 dayBps;
        uint32 minInterval;
        uint32 maxAge;
    }

    /// @notice One batch was processed; `records` is the payload as posted. Records that were not stored are named by
    /// `NavHeld` and `NavRejected` in the same transaction.
    event NavBatch(uint256 indexed header, bytes32 indexed evidenceRoot, bytes records);
    /// @notice One fund was posted through `postOne`; the same exceptions apply. The evidence is in the call data.
    event NavPosted(uint256 word);
    /// @notice A fund is held: by a record that broke a bound, or by a guardian (`rejected` is zero then).
    /// @param rejected The record as a fund word, without a day drift (it may not fit the field).
    /// @param served The fund word that stays served.
    event NavHeld(uint256 indexed fundId, uint256 rejected, uint256 served, uint256 reason);
    /// @notice A record was ignored without holding the fund. Parameters as in `NavHeld`.
    event NavRejected(uint256 indexed fundId, uint256 rejected, uint256 served, uint256 reason);
    /// @notice Some or all reasons of a hold ended without accepting a held record.
    /// @param remaining The reasons that still hold the fund; zero when it is free.
    event HoldCleared(uint256 indexed fundId, uint256 remaining, address indexed by);
    /// @notice RISK accepted the held record, which is now served.
    event NavAccepted(uint256 indexed fundId, uint256 word, address indexed by);
    /// @notice A fund was registered; `word` is its first fund word.
    event FundRegistered(uint256 indexed fundId, address indexed vault, address base, uint256 word);
    /// @notice A fund was closed; its records are ignored from now on.
    event FundClosed(uint256 indexed fundId, uint256 word);
    /// @notice A closed fund was reopened with a new first value.
    event FundReopened(uint256 indexed fundId, uint256 word);
    /// @notice A fund was moved to another guard profile.
    event FundProfileSet(uint256 indexed fundId, uint256 profile);
    /// @notice The bounds of a guard profile were set.
    event ProfileSet(uint256 indexed profile, Bounds bounds);
    /// @notice The main poster was replaced; the zero address is none.
    event PosterSet(address indexed poster);
    /// @notice An account's roles were replaced.
    event RoleSet(address indexed account, uint256 roles);
    /// @notice Posting was stopped or resumed.
    event PausedSet(bool paused, address indexed by);

    /// @notice The caller has none of the roles that the call needs.
    error Unauthorized(address caller);
    /// @notice Posting, and reading through `ppsOrRevert`, is stopped until RISK resumes.
    error Paused();
    /// @notice The header (or posted word) has bits set that mean nothing.
    error BadHeader();
    /// @notice The header's valuation time is older than `maxPostAge`.
    error StaleHeader(uint256 valuationTs, uint256 blockTimestamp);
    /// @notice The header's valuation time is after the block's.
    error FutureHeader(uint256 valuationTs, uint256 blockTimestamp);
    /// @notice The record size is none of 27, 40, 92, 105, or the payload is empty or not a whole number of records.
    error BadLength(uint256 recordSize, uint256 length);
    /// @notice The fund was never registered, or no fund can have this id (ids are 16 bits).
    error UnknownFund(uint256 fundId);
    /// @notice The fund is registered already.
    error FundExists(uint256 fundId);
    /// @notice The call needs an open fund.
    error FundIsClosed(uint256 fundId);
    /// @notice The call needs a closed fund.
    error FundIsOpen(uint256 fundId);
    /// @notice The fund is held; only RISK can end that.
    error FundIsHeld(uint256 fundId);
    /// @notice The served value is an estimate, or a first value that no post has confirmed.
    error FundIsEstimated(uint256 fundId);
    /// @notice The served value is older than its profile allows.
    error FundIsStale(uint256 fundId, uint256 valuationTs, uint256 maxAge);
    /// @notice There is no held record (`accept`, `discard`) or no guardian's hold (`release`).
    error NotHeld(uint256 fundId);
    /// @notice A guardian holds the fund; RISK must `release` it first.
    error GuardianHold(uint256 fundId);
    /// @notice The header and record are not those whose digest is kept.
    error RecordMismatch(uint256 fundId);
    /// @notice A price per share of zero is never served.
    error ZeroPps();
    /// @notice A first value does not fit its field, or its time is in the future or not newer than the served one.
    error BadOpening();
    /// @notice A bound is zero, or wider than its field can hold, or `maxAge` is not above `minInterval`.
    error BadBounds();
    /// @notice The guard profile was never set, or is above 63.
    error UnknownProfile(uint256 profile);
    /// @notice The role bits are unknown, would join POSTER with RISK or ADMIN, or would take ADMIN from the caller.
    error BadRoles(address account, uint256 roles);
    /// @notice An address that must be given is zero.
    error ZeroAddress();

    // ---- posting (POSTER)

    /// @notice Posts a batch. Each record is judged on its own; see the notes of this interface for what holds and what
    /// is ignored. A record within bounds also ends a hold whose only reason is REASON_STEP.
    /// @param header valuationTs:32 << 16 | recordSize:8; the valuation time is common to the batch.
    /// @param evidenceRoot Merkle root over the funds' evidence.
    /// @param records Packed records of `recordSize` bytes.
    /// @return heldCount How many records were not stored, held and ignored ones together.
    function post(uint256 header, bytes32 evidenceRoot, bytes calldata records) external returns (uint256 heldCount);

    /// @notice Posts one 27-byte record for less gas. A record that is not stored does not revert.
    /// @param word fundId:16 | nav:104 | pps:88 | estimated:1 | confidence:7 | valuationTs:32.
    /// @param evidence Digest of the fund's evidence.
    function postOne(uint256 word, bytes32 evidence) external;

    /// @notice What `post` would do now with each record, in order, repeated funds included; it reverts where `post` would
    /// for any poster.
    /// @return reasons Zero where the record would be stored, else reason bits.
    function preview(uint256 header, bytes calldata records) external view returns (uint256[] memory reasons);

    // ---- RISK and GUARDIAN

    /// @notice Stores the held record after all, under its own valuation time, and starts the day's drift at zero. RISK.
    /// @param header The header it was posted with (valuationTs << 16 | 27 for `postOne`).
    /// @param record The record's bytes.
    function accept(uint256 fundId, uint256 header, bytes calldata record) external;

    /// @notice Forgets the held record; the served value is good again. RISK.
    function discard(uint256 fundId) external;

    /// @notice Ends guardians' holds; a fund that also holds a record stays held for that. RISK.
    function release(uint256[] calldata fundIds) external;

    /// @notice Holds funds until RISK releases them; repeating it changes nothing. GUARDIAN or RISK.
    function hold(uint256[] calldata fundIds) external;

    /// @notice Stops (GUARDIAN or RISK) or resumes (RISK) all posting.
    function setPaused(bool paused_) external;

    // ---- ADMIN

    /// @notice Registers a fund under a guard profile. Its first value is asserted, not posted: it is served as ESTIMATED
    /// with confidence 0 until the first post, which is judged against it.
    /// @param vault The contract that the fund's shares belong to.
    /// @param base The asset that nav and pps are counted in; the zero address for none on this chain.
    /// @param valuationTs The time of this value: not in the future.
    function registerFund(
        uint256 fundId,
        address vault,
        address base,
        uint256 profile,
        uint256 nav,
        uint256 pps,
        uint256 valuationTs
    ) external;

    /// @notice Closes a fund: its records are ignored, its last value stays readable.
    function closeFund(uint256 fundId) external;

    /// @notice Reopens a closed fund that is not held, with a first value as in `registerFund`, newer than the served one.
    function reopenFund(uint256 fundId, uint256 nav, uint256 pps, uint256 valuationTs) external;

    /// @notice Moves a fund to another guard profile; its value, drift and hold stay.
    function assignProfile(uint256 fundId, uint256 profile) external;

    /// @notice Sets the bounds of a guard profile. Profile 0 shares the poster's slot and is the cheapest to post under.
    function setProfile(uint256 profile, Bounds calldata bounds) external;

    /// @notice Sets the main poster; the zero address leaves none. Others post through ROLE_POSTER for 2,100 gas more.
    function replacePoster(address poster) external;

    /// @notice Replaces the roles of an account. An account cannot take ADMIN from itself.
    function setRole(address account, uint256 roles) external;

    // ---- reads

    /// @notice The served value, whatever its state and age; the valuation time is always the value's own.
    /// @return nav NAV after deposits, scaled by 1e18.
    /// @return pps Price per share, scaled by 1e18.
    /// @return valuationTs Unix seconds.
    /// @return confidence Percent.
    /// @return status STATUS_LIVE, STATUS_HELD and STATUS_ESTIMATED bits.
    function read(uint256 fundId)
        external
        view
        returns (uint256 nav, uint256 pps, uint256 valuationTs, uint256 confidence, uint256 status);

    /// @notice The fund word; zero for a fund that was never registered.
    function readRaw(uint256 fundId) external view returns (uint256 word);

    /// @notice The fund words of several funds.
    function readMany(uint256[] calldata fundIds) external view returns (uint256[] memory words);

    /// @notice The served price per share, or a revert when posting is paused or the fund is unknown, closed, held,
    /// estimated or older than its profile's `maxAge`.
    function ppsOrRevert(uint256 fundId) external view returns (uint256 pps);

    /// @notice A fund's hold.
    /// @return digest keccak256(header ++ record ++ first reason) of the first held record, the two numbers as 32 bytes;
    /// zero when there is none.
    /// @return firstReason The reason that the digest was made with.
    /// @return reasons Every reason that holds the fund now; zero when it is free.
    /// @return since Block time at which the hold began; zero when it is free.
    function heldOf(uint256 fundId)
        external
        view
        returns (bytes32 digest, uint256 firstReason, uint256 reasons, uint256 since);

    /// @notice The addresses that a fund was registered with.
    function fundOf(uint256 fundId) external view returns (address vault, address base);

    /// @notice The bounds of a guard profile.
    function getProfile(uint256 profile) external view returns (Bounds memory bounds);

    /// @notice The role bits of an account; the main poster has ROLE_POSTER.
    function grantedRoles(address account) external view returns (uint256 roles);

    /// @notice What is common to all funds.
    /// @return poster The main poster.
    /// @return paused Whether posting is stopped.
    /// @return maxPostAge How old, in seconds, a valuation may be when it is posted.
    function settings() external view returns (address poster, bool paused, uint256 maxPostAge);
}
