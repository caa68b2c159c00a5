/** A JSON Schema (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What receivers are told of an event type. */
export interface EventType {
  /** Its name: `invoice.paid`. */
  readonly event: string;
  /** When it is emitted, in a sentence. */
  readonly description: string;
  /** Of the payload, a JSON object. */
  readonly schema: JsonSchema;
  /** A payload that fits the schema: what a test sends. */
  readonly example: Readonly<Record<string, unknown>>;
}
