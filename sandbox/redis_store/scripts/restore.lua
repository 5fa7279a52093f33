-- Puts other state in place of all that is kept; with ARGV[1] 'new' only where nothing is. Returns its version, or
-- nothing where something is.
-- ARGV: 'new' or 'any', for each of the six keys of the state how many arguments are its own, then these.
if ARGV[1] == 'new' then
  if redis.call('HEXISTS', META, 'v') == 1 then
    return false
  end
else
  -- First what Redis refuses where it is full, or a replica: nothing is gone then.
  redis.call('HINCRBY', META, 'v', 1)
  redis.call('DEL', unpack(KEYS))
end
local first = 8
for index, command in ipairs({'HSET', 'HSET', 'HSET', 'ZADD', 'ZADD', 'SADD'}) do
  local count = tonumber(ARGV[index + 1])
  put_all(command, KEYS[index], first, count)
  first = first + count
end
touch()
return redis.call('HGET', META, 'v')
