-- Sets fields of the state (an empty text removes one) where it is still the version ARGV[1]. Returns the new version,
-- or all of the state as it is.
if (redis.call('HGET', META, 'v') or '') ~= ARGV[1] then
  return {false, redis.call('HGETALL', META)}
end
-- First what Redis refuses where it is full: later it would be too late.
touch()
redis.call('HINCRBY', META, 'v', 1)
for index = 2, #ARGV, 2 do
  if ARGV[index + 1] == '' then
    redis.call('HDEL', META, ARGV[index])
  else
    redis.call('HSET', META, ARGV[index], ARGV[index + 1])
  end
end
return {redis.call('HGET', META, 'v')}
