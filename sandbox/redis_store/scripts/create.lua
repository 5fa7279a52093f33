-- Keeps the conversation number ARGV[1], which is 'guessed' to be the next or was 'reserved'. Returns -1, or a number
-- that is reserved for it where it can't have that one: several create at once, or the app was reset since.
-- ARGV: number, 'guessed' or 'reserved', id, position, user's prefix ('': no user), base, title, generated title,
-- provisional, metadata.
local last, number = tonumber(redis.call('HGET', META, 'last') or 0), tonumber(ARGV[1])
if (ARGV[2] == 'guessed' and last + 1 ~= number) or last + 1 < number then
  touch()
  return redis.call('HINCRBY', META, 'last', 1)
end
local id, position, user = ARGV[3], ARGV[4], ARGV[5]
touch()
redis.call('HSET', META, 'last', math.max(last, number))
redis.call('HINCRBY', META, 'conversations', 1)
redis.call('HSET', ROWS, 'b:' .. id, ARGV[6], 'o:' .. id, position)
for index, name in ipairs({'t:', 'g:', 'p:', 'm:'}) do
  if ARGV[6 + index] ~= '' then
    redis.call('HSET', ROWS, name .. id, ARGV[6 + index])
  end
end
redis.call('ZADD', ORDER, 0, position .. id)
if user ~= '' then
  redis.call('HSET', ROWS, 'u:' .. id, user)
  redis.call('ZADD', USERS, 0, user .. position .. id)
  redis.call('SADD', SEEN, user)
end
return -1
