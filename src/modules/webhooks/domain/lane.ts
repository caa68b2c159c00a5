/** A lane: the deliveries of one subscription, drained by one worker at a time. */
export interface Lane {
  readonly tenantId: string;
  readonly subscriptionId: string;
}
