/**
 * The built-in event types. Modules may emit any other well-formed name; these are the ones that clients can count on.
 */
export const WebhookEventType = {
  InvoiceCreated: 'invoice.created',
  InvoiceSent: 'invoice.sent',
  InvoiceAuthorized: 'invoice.authorized',
  InvoiceRejected: 'invoice.rejected',
  InvoiceCancelled: 'invoice.cancelled',
  InvoicePaid: 'invoice.paid',
  SalesOrderCreated: 'sales_order.created',
  SalesOrderConfirmed: 'sales_order.confirmed',
  SalesOrderCancelled: 'sales_order.cancelled',
  PaymentReceived: 'payment.received',
  PaymentFailed: 'payment.failed',
  InventoryLow: 'inventory.low',
  InventoryUpdated: 'inventory.updated',
  PurchaseOrderCreated: 'purchase_order.created',
  PurchaseOrderReceived: 'purchase_order.received',
  CustomerCreated: 'customer.created',
  CustomerUpdated: 'customer.updated',
  DocumentUpdated: 'document.updated',
  ErrorOccurred: 'error.occurred',
  Test: 'test',
} as const;

export type WebhookEventType = (typeof WebhookEventType)[keyof typeof WebhookEventType];
