-- One call: take `cost` from all of its limits, or from none. The rules, and what a state means, are those of keyrack.model.limits.
--
-- KEYS     one per limit, all in the workspace's hash slot.
-- ARGV     cost; whether quotas were recalled (1) or not (0); then six per limit:
--            kind          gcra, day or month
--            at_once       units of a full budget
--            step          gcra: the ns that one unit adds; else 0
--            full          how far ahead the end of a state can lie: gcra in ns, else in µs
--            seen_a seen_b the state that the caller saw last: Valkey may have lost a later one than it has
-- returns  the server's seconds and µs, then both parts of each limit's state before the call; the caller computes what came of it.
--          Nothing, and changes nothing, where it would take from a quota that is not known here: the caller recalls it and asks again.
--
-- A state is two integers, so that both stay below 2^53, where a Lua number is exact: for gcra the second and the ns in it at which the
-- budget is full again; else the number of the day with which the window ends, and the units used. Differences of ns stay below 2^53 too.

local KEPT_WHEN_FULL_MS = 60000 -- full or not known is the same; so nothing is lost to a clock that jumps a little
local KEPT_AFTER_END_MS = 3600000 -- as long as a clock that is set back may go on counting in the window that had begun
local time = redis.call('TIME')
local now_s, now_us = tonumber(time[1]), tonumber(time[2])
local cost, recalled = tonumber(ARGV[1]), ARGV[2] == '1'
local floor = math.floor

local function ns_ahead(a, b)
  if a - now_s > 4000000 then return 4e15 end -- too far ahead for any limit, and not exact
  return math.max(0, (a - now_s) * 1e9 + (b - now_us * 1e3))
end

local function us_ahead(a)
  return (a * 86400 - now_s) * 1e6 - now_us
end

local function first_day_of_next_month(day) -- in a calendar whose years begin in March, so that leap days end them
  local days = day + 719468
  local era = floor(days / 146097)
  local of_era = days - era * 146097
  local year = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524) - floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + floor(year / 4) - floor(year / 100))
  local month = floor((5 * of_year + 2) / 153) + 1
  year = year + era * 400
  if month == 12 then year, month = year + 1, 0 end
  era = floor(year / 400)
  year = year - era * 400
  return era * 146097 + year * 365 + floor(year / 4) - floor(year / 100) + floor((153 * month + 2) / 5) - 719468
end

local function is_later(a, b, than_a, than_b)
  return a > than_a or (a == than_a and b > than_b)
end

local reply, writes, fits, unknown = {now_s, now_us}, {}, true, false
for i, key in ipairs(KEYS) do
  local at = 6 * i - 3
  local kind, at_once, step, full = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local seen_a, seen_b = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local stored = redis.call('GET', key)
  local a, b = 0, 0
  if stored then
    local left, right = string.match(stored, '^(%d+):(%d+)$')
    a, b = tonumber(left), tonumber(right)
  end
  if kind == 'gcra' then
    if is_later(seen_a, seen_b, a, b) and ns_ahead(seen_a, seen_b) <= full then a, b = seen_a, seen_b end
    local ahead = ns_ahead(a, b)
    local lowered = ahead > full
    if lowered then ahead = full end
    if ahead + cost * step > full then fits = false end
    writes[i] = {lowered = lowered, ahead = ahead, step = step}
  else
    if is_later(seen_a, seen_b, a, b) and us_ahead(seen_a) <= full then a, b = seen_a, seen_b end
    local day, used = a, b
    local ahead = us_ahead(day)
    if not (ahead > 0 and ahead <= full) then
      local today = floor(now_s / 86400)
      day, used = kind == 'day' and today + 1 or first_day_of_next_month(today), 0
    end
    if not stored then unknown = true end
    if cost > math.max(0, at_once - used) then fits = false end
    writes[i] = {day = day, used = used}
  end
  reply[2 * i + 1], reply[2 * i + 2] = a, b
end

local takes = fits and cost > 0
if takes and unknown and not recalled then return {} end
for i, key in ipairs(KEYS) do
  local write = writes[i]
  if write.day then
    if takes then
      local kept_ms = math.ceil(us_ahead(write.day) / 1e3) + KEPT_AFTER_END_MS
      redis.call('SET', key, string.format('%.0f:%.0f', write.day, write.used + cost), 'PX', string.format('%.0f', kept_ms))
    end
  elseif takes or write.lowered then
    local ahead = write.ahead + (takes and cost * write.step or 0)
    local ns = now_us * 1e3 + ahead
    local rest = ns % 1e9
    local kept_ms = math.ceil(ahead / 1e6) + KEPT_WHEN_FULL_MS
    redis.call('SET', key, string.format('%.0f:%.0f', now_s + (ns - rest) / 1e9, rest), 'PX', string.format('%.0f', kept_ms))
  end
end
return reply
