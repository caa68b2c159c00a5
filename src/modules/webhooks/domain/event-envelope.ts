/** The envelope that GestiqCloud's modules put around their events. */
export interface EventEnvelope<T extends object> {
  readonly event: string;
  readonly resource_type: string;
  readonly resource_id: string;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly data: T;
  readonly metadata: { readonly tenant_id: string; readonly source: 'gestiqcloud'; readonly version: '1.0' };
}

/**
 * Builds the payload of an event about one resource.
 *
 * @example
 * buildEnvelope({ event: 'invoice.paid', resourceType: 'invoice', resourceId: invoice.id, tenantId, data: invoice })
 */
export function buildEnvelope<T extends object>(input: {
  readonly event: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly tenantId: string;
  readonly data: T;
  /** When it happened; now by default. */
  readonly occurredAt?: Date;
}): EventEnvelope<T> {
  return {
    event: input.event,
    resource_type: input.resourceType,
    resource_id: input.resourceId,
    timestamp: (input.occurredAt ?? new Date()).toISOString(),
    data: input.data,
    metadata: { tenant_id: input.tenantId, source: 'gestiqcloud', version: '1.0' },
  };
}
