import { describe, expect, it } from '@jest/globals';

import { InvoiceError } from './errors.js';
import { applyTransition, INVOICE_STATUSES, type Invoice, type InvoiceStatus } from './invoice.js';

const TRANSITIONS = ['send', 'authorize', 'pay', 'cancel'] as const;

/** The whole state machine, written down a second time: every state, and where each transition leads. */
const TABLE: Record<InvoiceStatus, Partial<Record<(typeof TRANSITIONS)[number], InvoiceStatus>>> = {
  draft: { send: 'sent', cancel: 'cancelled' },
  sent: { authorize: 'authorized', cancel: 'cancelled' },
  authorized: { pay: 'paid', cancel: 'cancelled' },
  paid: {},
  cancelled: {},
};

const CASES = INVOICE_STATUSES.flatMap((status) =>
  TRANSITIONS.map((transition) => [status, transition, TABLE[status][transition] ?? 'refused'] as const),
);

function invoice(change: Partial<Invoice> = {}): Invoice {
  return {
    id: '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50',
    tenantId: 'acme',
    number: 'F-1',
    customer: 'Panadería Sol',
    totalCents: 12_100,
    currency: 'EUR',
    status: 'draft',
    createdAt: new Date(0),
    updatedAt: new Date(0),
    ...change,
  };
}

function refusal(of: Invoice, transition: (typeof TRANSITIONS)[number]): InvoiceError {
  try {
    applyTransition(of, transition);
  } catch (error) {
    if (error instanceof InvoiceError) return error;
  }
  throw new Error(`${of.status} → ${transition} was not refused`);
}

describe('applyTransition', () => {
  it.each(CASES)('%s, %s: %s', (status, transition, expected) => {
    const before = invoice({ status });
    if (expected === 'refused') {
      expect(refusal(before, transition)).toMatchObject({
        code: 'invoice_transition_not_allowed',
        kind: 'conflict',
      });
    } else {
      expect(applyTransition(before, transition)).toEqual({ ...before, status: expected });
    }
  });

  it('names the state and what it allows', () => {
    expect(refusal(invoice({ status: 'sent' }), 'pay').message).toBe(
      'Invoice F-1 is sent with a total of 12100 cents: it cannot "pay"; allowed now: authorize, cancel.',
    );
    expect(refusal(invoice({ status: 'paid' }), 'cancel').message).toBe(
      'Invoice F-1 is paid with a total of 12100 cents: it cannot "cancel"; allowed now: nothing, this state is final.',
    );
  });

  it('never sends an invoice over nothing, which may still be cancelled', () => {
    const empty = invoice({ totalCents: 0 });
    expect(refusal(empty, 'send').message).toBe(
      'Invoice F-1 is draft with a total of 0 cents: it cannot "send"; allowed now: cancel.',
    );
    expect(applyTransition(empty, 'cancel').status).toBe('cancelled');
    expect(applyTransition(invoice({ totalCents: 1 }), 'send').status).toBe('sent');
  });
});
