-- Returns all records of an app's journal by their numbers, and the app's state, which says how many are gone.
return {redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[1])}
