import type { EntityManager, QueryRunner } from 'typeorm';

import type { Lane } from '../../domain/lane.js';

/** The key in TypeORM's `queryRunner.data`, which lives as long as the caller's connection is checked out. */
const KEY = 'webhookLanes';

/** Remembers lanes to ring when the manager's transaction commits. */
export function addLanes(manager: EntityManager, lanes: readonly Lane[]): void {
  const data: unknown = manager.queryRunner?.data;
  if (lanes.length === 0 || typeof data !== 'object' || data === null) return;
  const holder: { [KEY]?: Map<string, Lane> } = data;
  const known = (holder[KEY] ??= new Map<string, Lane>());
  for (const lane of lanes) known.set(lane.subscriptionId, lane);
}

/** Takes the lanes that a finished transaction left behind. */
export function takeLanes(queryRunner: QueryRunner): Lane[] {
  const data: unknown = queryRunner.data;
  if (typeof data !== 'object' || data === null) return [];
  const holder: { [KEY]?: Map<string, Lane> } = data;
  const lanes = [...(holder[KEY]?.values() ?? [])];
  delete holder[KEY];
  return lanes;
}
