-- Numbers a request of an app. Returns the number (-1 where nothing can be written), the journal's epoch, the time in
-- microseconds, the number of the newest conversation; and all of the app's state where it isn't the version ARGV[1].
local META, LOG, DONE = KEYS[1], KEYS[2], KEYS[3]
local known = redis.call('HMGET', META, 'v', 'last', 'epoch')
local version, epoch = known[1] or '', known[3]
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', tonumber(time[2]))
local number = redis.pcall('HINCRBY', META, 'requests', 1)
if type(number) == 'table' then
  number = -1
else
  if not epoch then
    epoch = now
    redis.call('HSET', META, 'epoch', epoch)
  end
  if version == '' then
    -- What nobody writes to is forgotten.
    for _, key in ipairs({META, LOG, DONE}) do
      redis.call('EXPIRE', key, 86400)
    end
  end
end
if version == ARGV[1] then
  return {number, epoch or '', now, known[2] or '0'}
end
return {number, epoch or '', now, known[2] or '0', redis.call('HGETALL', META)}
