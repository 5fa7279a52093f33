-- Returns a conversation and its items; nothing where there is none.
local row = read(ARGV[1])
if not is_seen(row) then
  return false
end
return {row, (items_of(ARGV[1]))}
