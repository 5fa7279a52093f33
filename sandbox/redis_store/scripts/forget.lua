-- Drops all that is kept of the app.
return redis.call('UNLINK', META, ROWS, ITEMS, ORDER, USERS, SEEN)
