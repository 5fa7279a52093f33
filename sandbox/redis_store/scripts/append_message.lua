-- Adds an item to a conversation that has ARGV[2] of them. Returns 1, or 0 where it has another number; the
-- conversation, and the items that were there; nothing where there is no such conversation.
-- ARGV: id, number of items (-1: not known yet), item, metadata ('': as it is).
local id = ARGV[1]
local row = read(id)
if not is_seen(row) then
  return false
end
local items, count = items_of(id)
if count ~= tonumber(ARGV[2]) then
  return {0, row, items}
end
if ARGV[4] ~= '' then
  redis.call('HSET', ROWS, 'm:' .. id, ARGV[4])
  row[5] = ARGV[4]
end
append(id, count, ARGV[3])
return {1, row, items}
