/** How long deliveries may be held, injected from configuration. */
export abstract class HoldSettings {
  /** Days after which a held delivery is ended; 0: it may wait for ever. */
  abstract readonly maxHoldDays: number;
}
