import type { FieldProblem } from '../../../platform/kernel/field-problem.js';
import { CheckPayload } from '../application/check-payload.js';
import { SchemaValidator } from '../application/ports/schema-validator.js';
import { EventCatalogue } from '../domain/event-types/event-catalogue.js';
import { FakeClock } from './fake-clock.js';
import { RecordingLogger } from './recording-logger.js';
import { testSettings } from './test-settings.js';

/** Finds what it is told to find. */
export class FakeSchemaValidator extends SchemaValidator {
  prepared: readonly string[] | null = null;
  found: readonly FieldProblem[] | Error = [];

  override async prepare(types: readonly { readonly event: string }[]): Promise<void> {
    this.prepared = types.map(({ event }) => event);
    return Promise.resolve();
  }

  override problems(): readonly FieldProblem[] {
    if (this.found instanceof Error) throw this.found;
    return this.found;
  }
}

/** For use cases whose payloads are not what a test is about. */
export function uncheckedPayloads(): CheckPayload {
  return new CheckPayload(
    new EventCatalogue(),
    new FakeSchemaValidator(),
    testSettings(),
    new FakeClock(),
    new RecordingLogger(),
  );
}
