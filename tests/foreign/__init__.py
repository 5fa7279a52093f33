"""A second implementation of the API, which knows nothing of ours."""
