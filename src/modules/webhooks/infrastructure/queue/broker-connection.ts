/** What rings go through, which may be away at any time; deliveries flow without it. */
export abstract class BrokerConnection {
  /** As the log calls it. */
  abstract readonly name: string;
  /** Whether rings would be sent now. */
  abstract get ready(): boolean;
}
