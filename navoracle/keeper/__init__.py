"""The use case: value funds at one block, guard, record and publish."""
