-- Lets the worker ARGV[1] send the webhooks of an app for ARGV[2] ms, where nobody does, or the worker ARGV[3], which
-- is gone. Returns who does.
local sender = redis.call('GET', KEYS[1])
if sender and sender ~= ARGV[1] and sender ~= ARGV[3] then
  return sender
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
