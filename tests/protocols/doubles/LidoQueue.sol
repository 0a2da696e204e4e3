// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A rebasing token of shares, like stETH.
contract RebasingToken {
    uint8 public constant decimals = 18;
    string public constant symbol = "stETH";
    uint256 public totalShares;
    uint256 public totalPooled;
    mapping(address => uint256) public sharesOf;

    function submit(address to, uint256 ether_) external {
        uint256 shares = totalShares == 0 ? ether_ : (ether_ * totalShares) / totalPooled;
        sharesOf[to] += shares;
        totalShares += shares;
        totalPooled += ether_;
    }

    function rebase(uint256 pooled) external {
        totalPooled = pooled;
    }

    function getPooledEthByShares(uint256 shares) public view returns (uint256) {
        return totalShares == 0 ? 0 : (shares * totalPooled) / totalShares;
    }

    function getSharesByPooledEth(uint256 ether_) public view returns (uint256) {
        return (ether_ * totalShares) / totalPooled;
    }

    function balanceOf(address account) external view returns (uint256) {
        return getPooledEthByShares(sharesOf[account]);
    }

    function moveShares(address from, address to, uint256 shares) external {
        sharesOf[from] -= shares;
        sharesOf[to] += shares;
    }

    function burnShares(address from, uint256 shares, uint256 ether_) external {
        sharesOf[from] -= shares;
        totalShares -= shares;
        totalPooled -= ether_;
    }
}

/// A queue whose finalisation caps the share rate of all requests since the last one, like Lido's.
contract LidoQueue {
    struct Status {
        uint256 amountOfStETH;
        uint256 amountOfShares;
        address owner;
        uint256 timestamp;
        bool isFinalized;
        bool isClaimed;
    }

    struct Checkpoint {
        uint256 fromId;
        uint256 maxShareRate;
    }

    uint256 private constant RATE = 1e27;
    RebasingToken public immutable STETH;
    Status[] private requests;
    Checkpoint[] private checkpoints;
    uint256 public getLastFinalizedRequestId;
    mapping(address => uint256[]) private owned;

    constructor(RebasingToken steth) {
        STETH = steth;
        requests.push();
        checkpoints.push();
    }

    receive() external payable {}

    function requestWithdrawal(uint256 amount) external returns (uint256 id) {
        uint256 shares = STETH.getSharesByPooledEth(amount);
        STETH.moveShares(msg.sender, address(this), shares);
        id = requests.length;
        requests.push(Status(amount, shares, msg.sender, block.timestamp, false, false));
        owned[msg.sender].push(id);
    }

    function finalize(uint256 last) external {
        uint256 rate = (RATE * STETH.totalPooled()) / STETH.totalShares();
        checkpoints.push(Checkpoint(getLastFinalizedRequestId + 1, rate));
        for (uint256 id = getLastFinalizedRequestId + 1; id <= last; id++) {
            requests[id].isFinalized = true;
            STETH.burnShares(address(this), requests[id].amountOfShares, _claimable(id, checkpoints.length - 1));
        }
        getLastFinalizedRequestId = last;
    }

    function claim(uint256 id, uint256 hint) external {
        require(requests[id].owner == msg.sender && !requests[id].isClaimed, "claim");
        requests[id].isClaimed = true;
        uint256[] storage ids = owned[msg.sender];
        for (uint256 place = 0; place < ids.length; place++) {
            if (ids[place] == id) {
                ids[place] = ids[ids.length - 1];
                ids.pop();
                break;
            }
        }
        (bool sent, ) = msg.sender.call{value: _claimable(id, hint)}("");
        require(sent, "send");
    }

    function getLastCheckpointIndex() external view returns (uint256) {
        return checkpoints.length - 1;
    }

    function getWithdrawalRequests(address owner) external view returns (uint256[] memory) {
        return owned[owner];
    }

    function getWithdrawalStatus(uint256[] calldata ids) external view returns (Status[] memory found) {
        found = new Status[](ids.length);
        for (uint256 place = 0; place < ids.length; place++) found[place] = requests[ids[place]];
    }

    function findCheckpointHints(uint256[] calldata ids, uint256 first, uint256 last)
        external
        view
        returns (uint256[] memory hints)
    {
        hints = new uint256[](ids.length);
        for (uint256 place = 0; place < ids.length; place++) {
            require(place == 0 || ids[place - 1] < ids[place], "RequestIdsNotSorted");
            for (uint256 hint = first; hint <= last; hint++) {
                if (checkpoints[hint].fromId <= ids[place]) hints[place] = hint;
            }
        }
    }

    function getClaimableEther(uint256[] calldata ids, uint256[] calldata hints)
        external
        view
        returns (uint256[] memory found)
    {
        found = new uint256[](ids.length);
        for (uint256 place = 0; place < ids.length; place++) {
            if (requests[ids[place]].isFinalized && !requests[ids[place]].isClaimed) {
                found[place] = _claimable(ids[place], hints[place]);
            }
        }
    }

    function _claimable(uint256 id, uint256 hint) private view returns (uint256) {
        uint256 capped = (requests[id].amountOfShares * checkpoints[hint].maxShareRate) / RATE;
        return capped < requests[id].amountOfStETH ? capped : requests[id].amountOfStETH;
    }
}
