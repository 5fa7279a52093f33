-- Adds a reply to a conversation that has ARGV[2] items, a deleted one too. Returns -1, the number of its items where
-- it has another one, or -2 where there is no such conversation.
-- ARGV: id, number of items, item, generated title ('': none), ledger ('': as it is).
local id = ARGV[1]
local row = read(id)
if not row[1] then
  return -2
end
local count = tonumber(redis.call('HGET', ITEMS, 'n:' .. id) or 0)
if count ~= tonumber(ARGV[2]) then
  return count
end
append(id, count, ARGV[3])
if ARGV[4] ~= '' and (not row[3] or row[4]) then
  redis.call('HSET', ROWS, 'g:' .. id, ARGV[4])
end
redis.call('HDEL', ROWS, 'p:' .. id)
if ARGV[5] ~= '' then
  redis.call('HSET', ROWS, 'l:' .. id, ARGV[5])
end
return -1
