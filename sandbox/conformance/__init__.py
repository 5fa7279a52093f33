"""The judge: holds a server that claims to be this API against the contract, which is all of ours that it knows."""
