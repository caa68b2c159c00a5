import type { Incident } from './history.js';

/** The setting of a session by which the database knows whose it is. */
const WORKER = 'lab.worker';

/** Longer than a sign of life holds (`aliveMs`), in milliseconds: the last one was given no earlier. */
const SIGN_MS = 4_500;

/**
 * Signs of life that came too late, of processes that nobody froze: a machine that has too much to do keeps them from their
 * processors, and others take their leases, rightly. A dead process gives none, and is not among them.
 */
export const NOTE_GAPS = `
CREATE TABLE lab_gaps (worker text, from_at timestamptz, to_at timestamptz);
CREATE FUNCTION lab_note_gap() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO lab_gaps VALUES (current_setting('${WORKER}', true), OLD.alive_until, clock_timestamp());
  RETURN NULL;
END $$;
CREATE TRIGGER lab_note_gap AFTER UPDATE ON webhook_workers FOR EACH ROW
  WHEN (OLD.alive_until < now()) EXECUTE FUNCTION lab_note_gap()`;

export const NOTED_GAPS = `
SELECT worker, extract(epoch FROM from_at)::float8 * 1000 - ${SIGN_MS} AS "fromMs", extract(epoch FROM to_at)::float8 * 1000 AS "toMs"
  FROM lab_gaps WHERE worker IS NOT NULL`;

export type NotedGap = Incident & { readonly worker: string };

/** The database's URL, for one worker. */
export function urlOfWorker(url: string, worker: string): string {
  const named = new URL(url);
  named.searchParams.set('options', `-c ${WORKER}=${worker}`);
  // A space as in a path: the driver takes a plus for what it is.
  named.search = named.search.replaceAll('+', '%20');
  return named.href;
}
