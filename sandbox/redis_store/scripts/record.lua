-- Keeps records of an app's journal, unless the app was reset since they began; the oldest go where they are too many.
-- Returns how many went. ARGV: epoch, most records, most bytes; for each its number, its operation, itself.
local META, LOG, DONE = KEYS[1], KEYS[2], KEYS[3]
local known = redis.call('HMGET', META, 'epoch', 'bytes', 'v')
if known[1] ~= ARGV[1] then
  return 0
end
local most, most_bytes, bytes, gone = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(known[2] or 0), 0
for index = 4, #ARGV, 3 do
  local number, operation, record = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  if redis.call('HSETNX', LOG, number, record) == 1 then
    redis.call('RPUSH', DONE, number .. ':' .. #record .. ':' .. operation)
    bytes = bytes + #record
  end
end
local count = redis.call('LLEN', DONE)
while count > most or (bytes > most_bytes and count > 1) do
  local number, size, operation = string.match(redis.call('LPOP', DONE), '^(%d+):(%d+):(.*)$')
  redis.call('HDEL', LOG, number)
  redis.call('HINCRBY', META, 'evicted:' .. operation, 1)
  bytes, count, gone = bytes - tonumber(size), count - 1, gone + 1
end
redis.call('HSET', META, 'bytes', bytes)
if not known[3] then
  redis.call('EXPIRE', LOG, 86400)
  redis.call('EXPIRE', DONE, 86400)
end
return gone
