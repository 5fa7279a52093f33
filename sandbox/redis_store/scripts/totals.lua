-- Returns how many conversations, messages and users the app has ever had.
local counts = redis.call('HMGET', META, 'conversations', 'messages')
return {tonumber(counts[1] or 0), tonumber(counts[2] or 0), redis.call('SCARD', SEEN)}
