-- Returns the number of the newest conversation, and all of the app's state where it isn't the version ARGV[1].
local last = redis.call('HGET', META, 'last') or '0'
if (redis.call('HGET', META, 'v') or '') == ARGV[1] then
  return {last}
end
return {last, redis.call('HGETALL', META)}
