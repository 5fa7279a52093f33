"""Lets a model write texts: a chat endpoint, a cassette that keeps what it wrote. Knows no app, no agent, no server."""
