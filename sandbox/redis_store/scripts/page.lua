-- Returns whether more lie beyond, then the id and the fields of each conversation of a page, from the end of the list
-- that it hangs on; the text 'unknown' where the app never had the cursor.
-- ARGV: limit, 'low' or 'high' (that end), user's prefix ('': all), cursor ('': none), 'up' or 'down' (its side).
local limit, user, cursor = tonumber(ARGV[1]), ARGV[3], ARGV[4]
local key, low, high = ORDER, '-', '+'
if user ~= '' then
  key, low, high = USERS, '[' .. user, '[' .. user .. '\255'
end
if cursor ~= '' then
  local position = redis.call('HGET', ROWS, 'o:' .. cursor)
  if not position then
    return 'unknown'
  end
  local place = '(' .. user .. position .. cursor
  if ARGV[5] == 'up' then
    low = place
  else
    high = place
  end
end
local members
if ARGV[2] == 'low' then
  members = redis.call('ZRANGEBYLEX', key, low, high, 'LIMIT', 0, limit + 1)
else
  members = redis.call('ZREVRANGEBYLEX', key, high, low, 'LIMIT', 0, limit + 1)
end
local page = {#members > limit and 1 or 0}
for index = 1, math.min(limit, #members) do
  local id = string.sub(members[index], #user + 26)
  page[#page + 1] = {id, read(id)}
end
return page
