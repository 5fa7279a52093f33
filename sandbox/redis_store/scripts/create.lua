-- Keeps the conversation number ARGV[1] where that is the next. Returns -1, or the number of the newest one.
-- ARGV: number, id, position, user's prefix ('': no user), base, title, generated title, provisional, metadata.
local last = tonumber(redis.call('HGET', META, 'last') or 0)
if last + 1 ~= tonumber(ARGV[1]) then
  return last
end
local id, position, user = ARGV[2], ARGV[3], ARGV[4]
touch()
redis.call('HSET', META, 'last', ARGV[1])
redis.call('HINCRBY', META, 'conversations', 1)
redis.call('HSET', ROWS, 'b:' .. id, ARGV[5], 'o:' .. id, position)
for index, name in ipairs({'t:', 'g:', 'p:', 'm:'}) do
  if ARGV[5 + index] ~= '' then
    redis.call('HSET', ROWS, name .. id, ARGV[5 + index])
  end
end
redis.call('ZADD', ORDER, 0, position .. id)
if user ~= '' then
  redis.call('HSET', ROWS, 'u:' .. id, user)
  redis.call('ZADD', USERS, 0, user .. position .. id)
  redis.call('SADD', SEEN, user)
end
return -1
