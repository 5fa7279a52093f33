-- Drops the records of an app's journal, and how many are gone.
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if name == 'bytes' or string.sub(name, 1, 8) == 'evicted:' then
    redis.call('HDEL', KEYS[1], name)
  end
end
return redis.call('UNLINK', KEYS[2], KEYS[3])
