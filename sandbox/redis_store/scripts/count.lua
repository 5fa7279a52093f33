-- Adds to the counts of a hash: names and numbers by turns.
for index = 1, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[index], ARGV[index + 1])
end
return 1
