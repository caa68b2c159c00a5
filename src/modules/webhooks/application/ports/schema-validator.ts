import type { FieldProblem } from '../../../../platform/kernel/field-problem.js';
import type { EventType } from '../../domain/event-types/event-type.js';

/**
 * Holds payloads against the JSON Schemas of their event types. Must not come in: what becomes of an event that does not fit.
 */
export abstract class SchemaValidator {
  /**
   * Reads the schemas of these types; before the first payload.
   *
   * @throws EventTypeError when one of them cannot be used
   */
  abstract prepare(types: readonly EventType[]): Promise<void>;
  /**
   * @param payload JSON text of an object
   * @returns what does not fit, from inside of the payload; only the first problem where it is long. Never a value of it.
   * @throws whatever a schema does to a payload that nobody has thought of
   */
  abstract problems(event: string, payload: string): readonly FieldProblem[];
}
