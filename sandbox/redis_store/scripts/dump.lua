-- Returns all that is kept of the app: its state, its conversations, their items.
return {redis.call('HGETALL', META), redis.call('HGETALL', ROWS), redis.call('HGETALL', ITEMS)}
