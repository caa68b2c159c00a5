import { pathText, type FieldProblem } from '../../../platform/kernel/field-problem.js';
import { parseEventPattern } from './event-name.js';

/** What one subscription may listen to. */
export const MAX_EVENTS = 50;

/** Neither was given, or both and not the same. */
export const EVENT_OR_EVENTS = 'Give event or events';

/** What somebody wants a subscription to listen to: one event, or a list. */
export interface EventsWish {
  readonly event?: string | undefined;
  readonly events?: readonly string[] | undefined;
}

/** Checks the list of what a subscription is to listen to. */
export function eventsProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_EVENTS) {
    return [{ path, msg: `${pathText(path)} must be a list of 1 to ${MAX_EVENTS} events` }];
  }
  return value.flatMap((event: unknown, at) => {
    const msg = typeof event === 'string' ? messageOf(event) : 'Event must be a string';
    return msg === null ? [] : [{ path: [...path, at], msg }];
  });
}

function messageOf(event: string): string | null {
  const parsed = parseEventPattern(event);
  return parsed.ok ? null : parsed.message;
}

/** Whether both were given and do not agree: `event` is the first of `events`, so what was read can be sent back. */
export function isContradictory({ event, events }: EventsWish): boolean {
  return event !== undefined && events !== undefined && nameOf(event) !== nameOf(events[0] ?? '');
}

/** What is wanted, each pattern once, in order; empty when nothing was given. `event` alone is a list of one. */
export function wantedEvents({ event, events }: EventsWish): string[] {
  const wanted = events ?? (event === undefined ? [] : [event]);
  return [...new Set(wanted.map(nameOf))];
}

function nameOf(event: string): string {
  const parsed = parseEventPattern(event);
  return parsed.ok ? parsed.name : event;
}
