import { InvoiceError } from './errors.js';

export const INVOICE_STATUSES = ['draft', 'sent', 'authorized', 'paid', 'cancelled'] as const;

export type InvoiceStatus = (typeof INVOICE_STATUSES)[number];

export type InvoiceTransition = 'send' | 'authorize' | 'pay' | 'cancel';

/**
 * Largest total, in hundredths of the currency. A hundredth of 2^53, beyond which JSON readers round whole numbers, so
 * that a receiver may still add up a hundred invoices exactly.
 */
export const MAX_TOTAL_CENTS = 90_000_000_000_000;

/** What an author writes down; everything else follows from it. */
export interface NewInvoice {
  readonly id: string;
  readonly tenantId: string;
  /** Unique within the tenant. */
  readonly number: string;
  readonly customer: string;
  /**
   * In hundredths of `currency`. An integer, because sums and comparisons of integers are exact in every language that
   * reads the event, where `0.1 + 0.2` of a JSON number is not and a decimal string has to be parsed first.
   */
  readonly totalCents: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
}

export interface Invoice extends NewInvoice {
  readonly status: InvoiceStatus;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** draft → sent → authorized → paid; cancelled from any of the first three. */
const TRANSITIONS: Readonly<
  Record<InvoiceTransition, { readonly from: readonly InvoiceStatus[]; readonly to: InvoiceStatus }>
> = {
  send: { from: ['draft'], to: 'sent' },
  authorize: { from: ['sent'], to: 'authorized' },
  pay: { from: ['authorized'], to: 'paid' },
  cancel: { from: ['draft', 'sent', 'authorized'], to: 'cancelled' },
};

const ALL_TRANSITIONS = Object.keys(TRANSITIONS) as InvoiceTransition[];

/**
 * The invoice after a transition.
 *
 * @throws InvoiceError `invoice_transition_not_allowed`, naming the state and what it allows.
 */
export function applyTransition(invoice: Invoice, transition: InvoiceTransition): Invoice {
  if (!isAllowed(invoice, transition)) {
    const allowed = ALL_TRANSITIONS.filter((other) => isAllowed(invoice, other));
    throw new InvoiceError(
      'invoice_transition_not_allowed',
      `Invoice ${invoice.number} is ${invoice.status} with a total of ${invoice.totalCents} cents: it cannot ` +
        `"${transition}"; allowed now: ${allowed.join(', ') || 'nothing, this state is final'}.`,
    );
  }
  return { ...invoice, status: TRANSITIONS[transition].to };
}

function isAllowed(invoice: Invoice, transition: InvoiceTransition): boolean {
  // A draft may still be empty; a customer is never sent an invoice over nothing.
  if (transition === 'send' && invoice.totalCents === 0) return false;
  return TRANSITIONS[transition].from.includes(invoice.status);
}
