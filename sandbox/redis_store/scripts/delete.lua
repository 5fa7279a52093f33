-- Takes a conversation out of all lists. Returns it as it was; nothing where there is none.
local id = ARGV[1]
local row = read(id)
if not is_seen(row) then
  return false
end
local kept = redis.call('HMGET', ROWS, 'o:' .. id, 'u:' .. id)
redis.call('HSET', ROWS, 'd:' .. id, '1')
redis.call('ZREM', ORDER, kept[1] .. id)
if kept[2] then
  redis.call('ZREM', USERS, kept[2] .. kept[1] .. id)
end
return row
