-- Returns the number of the newest conversation, how many requests there were, and all of the app's state where it isn't
-- the version ARGV[1].
local known = redis.call('HMGET', META, 'last', 'requests', 'v')
local last, requests = known[1] or '0', known[2] or '0'
if (known[3] or '') == ARGV[1] then
  return {last, requests}
end
return {last, requests, redis.call('HGETALL', META)}
