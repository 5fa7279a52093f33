-- Puts other state in place of all that is kept. Returns its version.
-- ARGV: for each of the six keys how many arguments are its own, then these.
-- First what Redis refuses where it is full, or a replica: nothing is gone then.
redis.call('HINCRBY', META, 'v', 1)
redis.call('DEL', META, ROWS, ITEMS, ORDER, USERS, SEEN)
local first = 7
for index, command in ipairs({'HSET', 'HSET', 'HSET', 'ZADD', 'ZADD', 'SADD'}) do
  local count = tonumber(ARGV[index])
  put_all(command, KEYS[index], first, count)
  first = first + count
end
touch()
return redis.call('HGET', META, 'v')
