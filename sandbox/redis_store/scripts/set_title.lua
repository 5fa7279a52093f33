-- Sets the title of a conversation, or clears it (''). Returns it as it is then; nothing where there is none.
local id = ARGV[1]
if not is_seen(read(id)) then
  return false
end
if ARGV[2] == '' then
  redis.call('HDEL', ROWS, 't:' .. id)
else
  redis.call('HSET', ROWS, 't:' .. id, ARGV[2])
end
return read(id)
