import type { EntityManager, QueryRunner } from 'typeorm';

import type { Lane } from '../../domain/lane.js';

/** The key in TypeORM's `queryRunner.data`, which lives as long as the caller's connection is checked out. */
const KEY = 'webhookEmitted';

interface Emitted {
  readonly events: string[];
  readonly lanes: Map<string, Lane>;
}

/** Remembers what was emitted until the manager's transaction commits. */
export function noteEmitted(manager: EntityManager, event: string, lanes: readonly Lane[]): void {
  const data: unknown = manager.queryRunner?.data;
  if (typeof data !== 'object' || data === null) return;
  const holder: { [KEY]?: Emitted } = data;
  const emitted = (holder[KEY] ??= { events: [], lanes: new Map<string, Lane>() });
  emitted.events.push(event);
  for (const lane of lanes) emitted.lanes.set(lane.subscriptionId, lane);
}

/** Takes what a finished transaction left behind. */
export function takeEmitted(queryRunner: QueryRunner): {
  readonly events: readonly string[];
  readonly lanes: readonly Lane[];
} {
  const data: unknown = queryRunner.data;
  if (typeof data !== 'object' || data === null) return { events: [], lanes: [] };
  const holder: { [KEY]?: Emitted } = data;
  const emitted = holder[KEY];
  delete holder[KEY];
  return { events: emitted?.events ?? [], lanes: [...(emitted?.lanes.values() ?? [])] };
}
