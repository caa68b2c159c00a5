import type { Slot } from './history.js';

/** The slots of rates as openings give them away: a lane's row says which is the next, before and after. */
export const NOTE_SLOTS = `
CREATE TABLE lab_slots (subscription_id uuid, first timestamptz, next timestamptz);
CREATE FUNCTION lab_note_slots() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO lab_slots VALUES (NEW.subscription_id, greatest(now(), OLD.rate_next_at), NEW.rate_next_at);
  RETURN NULL;
END $$;
CREATE TRIGGER lab_note_slots AFTER UPDATE OF rate_next_at ON webhook_lanes FOR EACH ROW
  WHEN (NEW.rate_next_at IS DISTINCT FROM OLD.rate_next_at) EXECUTE FUNCTION lab_note_slots()`;

export const NOTED_SLOTS = `
SELECT subscription_id AS id, extract(epoch FROM first)::float8 * 1000 AS "firstMs", extract(epoch FROM next)::float8 * 1000 AS "nextMs"
  FROM lab_slots`;

export interface NotedSlots {
  readonly id: string;
  readonly firstMs: number;
  /** The first that was not given away. */
  readonly nextMs: number;
}

export function slotsOf(lane: number, stepMs: number, { firstMs, nextMs }: NotedSlots): Slot[] {
  const count = Math.round((nextMs - firstMs) / stepMs);
  return Array.from({ length: count }, (_unused, n) => ({ lane, atMs: firstMs + n * stepMs }));
}
