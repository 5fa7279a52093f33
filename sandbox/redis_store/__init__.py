"""Keeps apps in Redis, so that they outlive the server: one hash tag an app, one script a step."""
