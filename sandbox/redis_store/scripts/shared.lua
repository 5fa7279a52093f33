-- What the scripts of an app share. The keys of its state are always the same six, in this order.
local META, ROWS, ITEMS, ORDER, USERS, SEEN = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

-- Returns the fields of a conversation: base, title, generated title, provisional, metadata, ledger, deleted.
local function read(id)
  return redis.call('HMGET', ROWS, 'b:' .. id, 't:' .. id, 'g:' .. id, 'p:' .. id, 'm:' .. id, 'l:' .. id, 'd:' .. id)
end

local function is_seen(row)
  return row[1] and not row[7]
end

-- Returns the items of a conversation, oldest first, and how many there are.
local function items_of(id)
  local count, items = tonumber(redis.call('HGET', ITEMS, 'n:' .. id) or 0), {}
  for first = 0, count - 1, 1000 do
    local names = {}
    for position = first, math.min(first + 1000, count) - 1 do
      names[#names + 1] = position .. ':' .. id
    end
    for _, item in ipairs(redis.call('HMGET', ITEMS, unpack(names))) do
      items[#items + 1] = item
    end
  end
  return items, count
end

local function append(id, count, item)
  redis.call('HSET', ITEMS, count .. ':' .. id, item, 'n:' .. id, count + 1)
  redis.call('HINCRBY', META, 'messages', 1)
end

-- Gives the app a version where it has none: from now on it is stored. No later app has the same.
local function touch()
  if redis.call('HEXISTS', META, 'v') == 0 then
    local time = redis.call('TIME')
    redis.call('HSET', META, 'v', time[1] .. string.format('%06d', tonumber(time[2])))
    -- Until now its count of requests alone was kept, for a while.
    redis.call('PERSIST', META)
  end
end

-- Calls a command with the next `count` arguments, a thousand at a time: Lua takes no more at once.
local function put_all(command, key, first, count)
  local last = first + count - 1
  for from = first, last, 1000 do
    local part = {}
    for index = from, math.min(from + 999, last) do
      if command == 'ZADD' then
        part[#part + 1] = 0
      end
      part[#part + 1] = ARGV[index]
    end
    redis.call(command, key, unpack(part))
  end
end
