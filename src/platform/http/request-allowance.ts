const MINUTE_MS = 60_000;

/** Sums of fractions come out a hair too large: that must not cost the last request of an allowance. */
const ROUNDING_MS = 0.001;

/** What is to be done with a request, and what its sender is told. */
export interface Verdict {
  readonly allowed: boolean;
  /** Requests that would be allowed right after this one. */
  readonly remaining: number;
  /** Milliseconds until the next request is allowed; 0 when it is now. */
  readonly retryAfterMs: number;
  /** Milliseconds until the whole allowance is there again. */
  readonly fullAfterMs: number;
}

/** Milliseconds in which one request of the allowance comes back. */
export function intervalMs(perMinute: number): number {
  return MINUTE_MS / perMinute;
}

/**
 * The generic cell rate algorithm: an allowance of `perMinute` requests comes back evenly, one every
 * {@link intervalMs}, and not all at once when a minute begins. All that is remembered of a sender is how long it takes
 * until everything is back.
 *
 * @param debtMs that time, before this request
 */
export function judge(debtMs: number, perMinute: number): Verdict {
  const interval = intervalMs(perMinute);
  // A clock that was set back must not shut anybody out for as long.
  const debt = Math.min(debtMs, MINUTE_MS);
  const wantedMs = debt + interval;
  const allowed = wantedMs <= MINUTE_MS + ROUNDING_MS;
  const fullAfterMs = allowed ? wantedMs : debt;
  const remaining = Math.max(0, Math.floor((MINUTE_MS - fullAfterMs + ROUNDING_MS) / interval));
  return { allowed, remaining, retryAfterMs: allowed ? 0 : wantedMs - MINUTE_MS, fullAfterMs };
}

/**
 * The same for Redis, as one script, so that processes count together: by the clock of Redis, and forgotten when
 * everything is back. Gives the debt from before the request: {@link judge} makes the verdict of it. ARGV: interval.
 */
export const TAKE_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local debt = math.max(0, (tonumber(redis.call('GET', KEYS[1])) or 0) - now)
local wanted = debt + tonumber(ARGV[1])
if wanted <= ${MINUTE_MS + ROUNDING_MS} then
  redis.call('SET', KEYS[1], string.format('%.3f', now + wanted), 'PX', math.ceil(wanted))
end
return tostring(debt)
`;
