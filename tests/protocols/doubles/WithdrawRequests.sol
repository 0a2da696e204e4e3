// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// Withdrawal requests as NFTs that cannot be enumerated, like ether.fi's; it is its own liquidity pool.
contract WithdrawRequests is ERC721 {
    struct WithdrawRequest {
        uint96 amountOfEEth;
        uint96 shareOfEEth;
        bool isValid;
        uint32 feeGwei;
    }

    uint256 public rate = 1e18;
    uint32 public nextRequestId = 1;
    uint32 public lastFinalizedRequestId;
    mapping(uint256 => WithdrawRequest) private requests;

    constructor() ERC721("Withdraw Request NFT", "WR") {}

    receive() external payable {}

    function liquidityPool() external view returns (address) {
        return address(this);
    }

    function setRate(uint256 rate_) external {
        rate = rate_;
    }

    function amountForShare(uint256 shares) public view returns (uint256) {
        return (shares * rate) / 1e18;
    }

    function requestWithdraw(uint96 amount, uint96 shares, address to, uint32 feeGwei) external {
        requests[nextRequestId] = WithdrawRequest(amount, shares, true, feeGwei);
        _mint(to, nextRequestId++);
    }

    function finalizeRequests(uint32 id) external {
        lastFinalizedRequestId = id;
    }

    function invalidateRequest(uint256 id) external {
        requests[id].isValid = false;
    }

    function getRequest(uint256 id) external view returns (WithdrawRequest memory) {
        return requests[id];
    }

    function isFinalized(uint256 id) public view returns (bool) {
        return id <= lastFinalizedRequestId;
    }

    function getClaimableAmount(uint256 id) public view returns (uint256) {
        require(isFinalized(id), "Request is not finalized");
        require(ownerOf(id) != address(0), "Already Claimed");
        uint256 worth = amountForShare(requests[id].shareOfEEth);
        uint256 amount = requests[id].amountOfEEth < worth ? requests[id].amountOfEEth : worth;
        return amount - uint256(requests[id].feeGwei) * 1 gwei;
    }

    function claimWithdraw(uint256 id) external {
        require(ownerOf(id) == msg.sender && requests[id].isValid, "claim");
        uint256 amount = getClaimableAmount(id);
        _burn(id);
        delete requests[id];
        (bool sent, ) = msg.sender.call{value: amount}("");
        require(sent, "send");
    }
}
