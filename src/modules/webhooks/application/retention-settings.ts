/** How long history is kept, injected from configuration. */
export abstract class RetentionSettings {
  /** Days after which an event goes, with its deliveries and attempts; 0 keeps them for ever. */
  abstract readonly retentionDays: number;
  /** Days after which the payload of an event goes; null keeps it as long as the event. */
  abstract readonly payloadRetentionDays: number | null;
}
