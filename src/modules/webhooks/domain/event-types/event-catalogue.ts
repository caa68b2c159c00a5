import { parseEmittedName } from '../event-name.js';
import type { EventType } from './event-type.js';
import { OPERATIONAL_TYPES } from './operational-types.js';
import { OTHER_TYPES } from './other-types.js';
import { SALES_TYPES } from './sales-types.js';
import { STOCK_TYPES } from './stock-types.js';

/** Those that the service knows by itself. */
export const BUILT_IN_TYPES: readonly EventType[] = [
  ...SALES_TYPES,
  ...STOCK_TYPES,
  ...OTHER_TYPES,
  ...OPERATIONAL_TYPES,
];

/** A module registered what cannot be an event type, or is another one already: the service does not start with it. */
export class EventTypeError extends Error {
  constructor(event: string, why: string) {
    super(`The event type ${JSON.stringify(event).slice(0, 120)} cannot be registered: ${why}`);
    this.name = 'EventTypeError';
  }
}

/** Every event type that is known: the built-in ones, and those that modules registered. */
export class EventCatalogue {
  private readonly types = new Map<string, EventType>();

  constructor(builtIn: readonly EventType[] = BUILT_IN_TYPES) {
    for (const type of builtIn) this.types.set(type.event, type);
  }

  /**
   * Adds the type of a module. The same again changes nothing: two modules may share one.
   *
   * @throws EventTypeError when its name or its example cannot be one, or when another type has the name
   */
  register(type: EventType): void {
    const { event, description, schema, example } = type;
    const name = parseEmittedName(event);
    if (!name.ok || name.name !== event) {
      throw new EventTypeError(event, name.ok ? 'the name must be in lower case' : name.message);
    }
    if (description.trim() === '') throw new EventTypeError(event, 'it needs a description');
    if (!isObject(schema)) throw new EventTypeError(event, 'its schema must be an object');
    if (!isObject(example)) throw new EventTypeError(event, 'its example must be a JSON object');
    const before = this.types.get(event);
    if (before !== undefined && textOf(before) !== textOf(type)) {
      throw new EventTypeError(
        event,
        'another type has this name, with another description, schema or example',
      );
    }
    this.types.set(event, { event, description, schema, example });
  }

  find(event: string): EventType | null {
    return this.types.get(event) ?? null;
  }

  has(event: string): boolean {
    return this.types.has(event);
  }

  /** By name. */
  all(): readonly EventType[] {
    return [...this.types.values()].sort((a, b) => (a.event < b.event ? -1 : 1));
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The order of keys is of no meaning in any of it. */
function textOf({ event, description, schema, example }: EventType): string {
  return JSON.stringify([event, description, sorted(schema), sorted(example)]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, of]) => [key, sorted(of)]);
}
