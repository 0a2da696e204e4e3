// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// Pays cumulative rewards against a Merkle root that counts once its dispute window is over, like Merkl's Distributor.
contract RewardDistributor {
    struct Claim {
        uint208 amount;
        uint48 timestamp;
        bytes32 merkleRoot;
    }

    bytes32 public tree;
    bytes32 public lastTree;
    uint256 public endOfDisputePeriod;
    address public disputer;
    mapping(address => mapping(address => Claim)) public claimed;

    function updateTree(bytes32 root, uint256 window) external {
        lastTree = tree;
        tree = root;
        endOfDisputePeriod = block.timestamp + window;
    }

    function dispute(address by) external {
        disputer = by;
    }

    function getMerkleRoot() public view returns (bytes32) {
        return block.timestamp >= endOfDisputePeriod && disputer == address(0) ? tree : lastTree;
    }

    function claim(address token, uint256 amount, bytes32[] calldata proof) external {
        bytes32 node = keccak256(abi.encode(msg.sender, token, amount));
        for (uint256 place = 0; place < proof.length; place++) {
            node = node < proof[place]
                ? keccak256(abi.encode(node, proof[place]))
                : keccak256(abi.encode(proof[place], node));
        }
        require(node == getMerkleRoot(), "InvalidProof");
        uint256 due = amount - claimed[msg.sender][token].amount;
        claimed[msg.sender][token] = Claim(uint208(amount), uint48(block.timestamp), node);
        IERC20(token).transfer(msg.sender, due);
    }
}
