-- Returns the next number of the counter ARGV[1].
touch()
return redis.call('HINCRBY', META, 'c:' .. ARGV[1], 1)
