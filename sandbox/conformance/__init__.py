"""The conformance suite: checks a server that claims to be this API against the contract, all that it knows of ours."""
