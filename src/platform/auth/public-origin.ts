/** Where browsers reach the service, when the operator says so. */
export class PublicOrigin {
  /** @param origin such as `https://hooks.customer.com`; null when nobody says */
  constructor(readonly origin: string | null) {}
}
