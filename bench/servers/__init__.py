"""The peers that the sandbox is measured beside: two floors that compute nothing, and a mock as people write them."""
