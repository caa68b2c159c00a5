import type { BenchLab, BenchLane } from './bench-lab.js';
import { measured, BODY } from './rows.js';
import { percentile } from './statistics.js';

/** Events of the healthy endpoint, one each 50 ms. */
const EVENTS = 100;
const PER_SECOND = 20;

/** Milliseconds in which the others fill what they can. */
const HEAD_START_MS = 2_000;

const EVERY_LANE_ANEW = `
UPDATE webhook_lanes SET circuit_state = 'closed', circuit_opened_at = NULL, next_probe_at = NULL, failures = 0, epoch = 0,
       circuit_cause = NULL, probe_wait_ms = NULL, probe_id = NULL, next_probe_id = NULL, failing_since = NULL, ramp = NULL,
       recent_bucket = NULL, recent_attempts = NULL, recent_failed = NULL, counted_from = NULL, held_until = NULL
 WHERE circuit_state <> 'closed' OR failures > 0 OR held_until IS NOT NULL OR recent_bucket IS NOT NULL`;

/** How long one healthy endpoint's events take while others' deliveries wait for endpoints in some mood, milliseconds. */
export async function fairness(
  lab: BenchLab,
  others: {
    readonly lanes: readonly BenchLane[];
    readonly mood: 'hang' | 'drip' | 'fail';
    readonly deliveries: number;
  },
  healthy: BenchLane,
): Promise<{ p50: number; p99: number }> {
  await lab.clear();
  await lab.pool.query(EVERY_LANE_ANEW);
  await lab.mood(others.mood);
  await lab.backlog(others.lanes, others.deliveries, BODY);
  const worker = await lab.startWorker();
  try {
    lab.service.ring(others.lanes);
    await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS));
    const latencies = await measured(lab, [healthy], PER_SECOND, EVENTS / PER_SECOND);
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  } finally {
    // What hangs would keep it for as long as it may.
    await worker.kill();
    await lab.clear();
  }
}

/** Seconds until what a killed worker had under way, one delivery of each lane, was delivered by another. */
export async function takenOver(lab: BenchLab, lanes: readonly BenchLane[]): Promise<number> {
  await lab.clear();
  await lab.expect(lanes.length);
  await lab.backlog(lanes, lanes.length, BODY);
  const killed = await lab.startWorker();
  lab.service.ring(lanes);
  for (let held = 0; held < lanes.length; held += 1) await lab.receiver.next(20_000);
  const other = await lab.startWorker();
  const killedAtMs = performance.now();
  await killed.kill();
  await lab.received(60_000);
  const seconds = (performance.now() - killedAtMs) / 1_000;
  await other.stop();
  return seconds;
}
