-- Counts a call at the time ARGV[1] in each window, whose lengths and limits follow. Returns 0, or the seconds to wait
-- where one is used up: then nothing is counted.
touch()
local now, wait, windows = tonumber(ARGV[1]), 0, {}
for index = 2, #ARGV, 2 do
  local length, most = tonumber(ARGV[index]), tonumber(ARGV[index + 1])
  local kept = redis.call('HMGET', META, 'ws:' .. length, 'wc:' .. length)
  local start, count = tonumber(kept[1] or now), tonumber(kept[2] or 0)
  if now < start or now >= start + length then
    start, count = now, 0
  end
  if count >= most then
    wait = math.max(wait, start + length - now, 1)
  end
  windows[#windows + 1] = {length, start, count + 1}
end
if wait == 0 then
  for _, window in ipairs(windows) do
    local length = window[1]
    redis.call('HSET', META, 'ws:' .. length, string.format('%d', window[2]), 'wc:' .. length, window[3])
  end
end
return wait
