import { DomainError } from '../../../platform/kernel/domain-error.js';

/** The stable codes of this module, each with its kind. */
export const INVOICE_ERRORS = {
  invoice_not_found: { kind: 'not_found', message: 'No such invoice.' },
  duplicate_invoice_number: {
    kind: 'conflict',
    message: 'An invoice with this number exists already; choose another number.',
  },
  invoice_transition_not_allowed: {
    kind: 'conflict',
    message: 'The state of the invoice does not allow this.',
  },
} as const;

export type InvoiceErrorCode = keyof typeof INVOICE_ERRORS;

/** A refusal with one of the module's stable codes. */
export class InvoiceError extends DomainError {
  constructor(code: InvoiceErrorCode, message: string = INVOICE_ERRORS[code].message) {
    super(code, INVOICE_ERRORS[code].kind, message);
    this.name = 'InvoiceError';
  }
}
