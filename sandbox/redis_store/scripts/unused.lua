-- Notes that apps were used now, where ARGV[2] is 'new' only those that are not known yet. Takes out and returns those
-- that nobody has used for ARGV[1] seconds. ARGV: seconds, 'used' or 'new', the ids of the apps.
local now = tonumber(redis.call('TIME')[1])
for index = 3, #ARGV do
  if ARGV[2] == 'new' then
    redis.call('ZADD', KEYS[1], 'NX', now, ARGV[index])
  else
    redis.call('ZADD', KEYS[1], now, ARGV[index])
  end
end
local unused = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - tonumber(ARGV[1])))
for _, app in ipairs(unused) do
  redis.call('ZREM', KEYS[1], app)
end
return unused
