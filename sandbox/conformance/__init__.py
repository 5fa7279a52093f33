"""The judge: holds a server that claims to be this API against the contract. Knows the contract and nothing else of ours."""
