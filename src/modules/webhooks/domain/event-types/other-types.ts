import { WebhookEventType } from '../webhook-event-type.js';
import { envelopedType, TEXT, COUNT } from './enveloped-type.js';
import type { EventType, JsonSchema } from './event-type.js';

const CUSTOMER: Readonly<Record<string, JsonSchema>> = { id: TEXT, name: TEXT };

const A_CUSTOMER = {
  id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a66',
  name: 'Panadería Sol',
  email: 'hola@panaderiasol.example',
  tax_id: 'B12345678',
};

/** Customers, documents, errors, and the one to try things with. */
export const OTHER_TYPES: readonly EventType[] = [
  envelopedType({
    event: WebhookEventType.CustomerCreated,
    description: 'A customer was entered.',
    resourceType: 'customer',
    data: CUSTOMER,
    example: A_CUSTOMER,
  }),
  envelopedType({
    event: WebhookEventType.CustomerUpdated,
    description: 'The details of a customer changed.',
    resourceType: 'customer',
    data: CUSTOMER,
    example: { ...A_CUSTOMER, name: 'Panadería Sol y Luna' },
  }),
  envelopedType({
    event: WebhookEventType.DocumentUpdated,
    description: 'A document got a new version.',
    resourceType: 'document',
    data: { id: TEXT, name: TEXT, version: COUNT },
    example: { id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a77', name: 'F-2026-0042.pdf', version: 2 },
  }),
  envelopedType({
    event: WebhookEventType.ErrorOccurred,
    description: 'Something went wrong in the ERP that somebody should look at.',
    resourceType: 'error',
    data: { id: TEXT, code: TEXT, message: TEXT },
    example: {
      id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a88',
      code: 'tax_service_unavailable',
      message: 'The tax authority does not answer; invoices wait.',
    },
  }),
  {
    event: WebhookEventType.Test,
    description: 'To try an endpoint with; any payload will do.',
    schema: { type: 'object' },
    example: { message: 'Hello from GestiqCloud' },
  },
];
