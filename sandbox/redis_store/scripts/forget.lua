-- Drops all that is kept of the app.
return redis.call('UNLINK', unpack(KEYS))
