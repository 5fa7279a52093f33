"""The servers to compare with: two baselines that compute nothing, and a typical hand-written mock."""
