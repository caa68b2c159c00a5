import type { AttemptTrigger, ErrorClass } from '../../domain/attempt.js';
import type { ClaimedDelivery, HoldReason } from '../../domain/delivery.js';
import type { Lane } from '../../domain/lane.js';
import type { NextStep } from '../../domain/retry-policy.js';
import type { LaneRest } from '../../domain/turn-verdict.js';

/** What a process asks of a lane. */
export interface ClaimWish {
  /** Deliveries at most. */
  readonly limit: number;
  /** Of these, retries at most; as many as there may be when left out. */
  readonly retryLimit?: number;
  /** Requests of the lane that this process has under way itself: they count against what an endpoint may get. */
  readonly taken?: number;
  readonly retriesTaken?: number;
}

/** What opening a lane answered. */
export interface OpenedLane {
  readonly claims: readonly ClaimedDelivery[];
  /** What is in the lane beside them. */
  readonly rest: LaneRest;
}

/** One finished attempt with the step that follows from it. */
export interface AttemptResult {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly eventId: string;
  /** The name of the event. */
  readonly event: string;
  readonly deliveryId: string;
  readonly leaseToken: string;
  readonly number: number;
  readonly trigger: AttemptTrigger;
  /** Milliseconds that the attempt took; the database takes its start from this and its own clock. */
  readonly durationMs: number;
  readonly statusCode: number | null;
  readonly errorClass: ErrorClass | null;
  readonly error: string | null;
  readonly responseBody: string | null;
  /** Of what was answered, as far as it is kept. */
  readonly responseHeaders: Readonly<Record<string, string>> | null;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly next: NextStep;
  /** As its claim had them. */
  readonly epoch: number;
  readonly isProbe: boolean;
  /** The wait that the receiver asked for, in milliseconds; 0 when it did not. */
  readonly retryAfterMs: number;
  /** Whether to say what else is due in the lane: not where this process goes on with it anyway. */
  readonly asksForMore: boolean;
}

/**
 * What became of an endpoint's circuit: it opened, a probe has failed, a probe went well, or one has failed for so long that the
 * subscription ended. And of the time for which it wants nothing: it asked for one, or that is over.
 */
export type CircuitTurn = 'opened' | 'reopened' | 'closed' | 'given_up' | 'throttled' | 'unthrottled';

/** What recording a result answered. */
export interface Recorded {
  /** Whether the lease still held. */
  readonly held: boolean;
  /** Something is due in the lane; false where it was not asked for. */
  readonly isMoreDue: boolean;
  /** What the results of this moment did to the lane's circuit; told with one of them. */
  readonly turns: readonly CircuitTurn[];
}

/** Expired leases that were given back, and lanes with something due. */
export interface SweepResult {
  readonly reclaimed: number;
  readonly dueLanes: readonly Lane[];
}

/**
 * The due-list as the engine works it: claim, record, give back. All times in it are the database's. Must not come in:
 * sending, decisions about retries, anything per tenant that the API needs.
 */
export abstract class DeliveryLanes {
  /**
   * Takes due deliveries of a lane, oldest due first, and starts their attempts (attempts + 1): no more than wished for, nor
   * than the endpoint may get beside what this process and all others have under way. Says what is left. Where the circuit is
   * not closed it takes one delivery as a probe, when it is time, of those due the one that was probed least.
   */
  abstract claim(lane: Lane, wish: ClaimWish): Promise<OpenedLane>;
  /**
   * Writes the attempt, moves the delivery on, tells the endpoint's circuit, holds the lane for as long as a 429 or 503 asked
   * for, and notes what others are to be told, in one statement. A lost lease is recorded as an attempt but changes nothing of
   * the delivery. Resolves once it is durable.
   */
  abstract record(result: AttemptResult): Promise<Recorded>;
  /** Gives claimed deliveries back untouched: the attempt did not start after all. */
  abstract release(claims: readonly ClaimedDelivery[]): Promise<void>;
  /**
   * Gives claimed deliveries back untouched, to be looked at again after `forMs` milliseconds, and holds what else of their
   * lanes is due.
   */
  abstract hold(claims: readonly ClaimedDelivery[], reason: HoldReason, forMs: number): Promise<void>;
  /** Ends claimed deliveries of a deactivated subscription without an attempt. */
  abstract abandon(claims: readonly ClaimedDelivery[], lastError: string): Promise<void>;
  /** Says that this process lives: what it has claimed stays its own for a while more. Once a second. */
  abstract beat(): Promise<void>;
  /** Counts the times at which this process may have lost all that it had claimed. Read it before the claim is asked for. */
  abstract get term(): number;
  /**
   * Whether what was claimed in that term is still this process's own, for all it knows. A process that stood still, or was
   * cut off, for longer than its last sign of life holds must send nothing more of it: others have taken it meanwhile.
   */
  abstract areOurs(term: number): boolean;
  /**
   * Returns expired leases, and those of processes that are silent, to PENDING (or FAILED when no automatic attempt is
   * left), and lists lanes with due work: those where leases ended, and what a bounded look finds, which the next one
   * goes on from. Does nothing where another process sweeps at this moment.
   */
  abstract sweep(maxRetries: number, laneLimit: number): Promise<SweepResult>;
  /**
   * Age in milliseconds of the oldest delivery that is due and unclaimed, and how many wait; for health and metrics. Either by a
   * bounded look: so many deliveries are counted, and lanes looked at, as `ENGINE_LIMITS` has (`backlogCounted`, `sweepLooks`).
   */
  abstract backlog(): Promise<{ readonly oldestDueAgeMs: number; readonly pending: number }>;
}
