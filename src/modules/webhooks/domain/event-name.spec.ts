import { describe, expect, it } from '@jest/globals';

import { parseEmittedName, parseEventName, parseEventPattern, patternsMatching } from './event-name.js';

describe('parseEventName', () => {
  it.each([
    ['invoice.created', 'invoice.created'],
    ['  Invoice.CREATED ', 'invoice.created'],
    ['test', 'test'],
    ['sales_order.line_2.added', 'sales_order.line_2.added'],
    ['a'.repeat(100), 'a'.repeat(100)],
  ])('reads %j as %j', (text, name) => {
    expect(parseEventName(text)).toEqual({ ok: true, name });
  });

  it.each([
    '',
    '   ',
    '.',
    'invoice.',
    '.created',
    'invoice..created',
    'invoice-created',
    'invoice created',
    'factura.emitida.ñ',
    'invoice.*',
    '*',
    'a'.repeat(101),
    'invoice.created\n.x',
  ])('refuses %j', (text) => {
    expect(parseEventName(text)).toMatchObject({ ok: false });
  });
});

describe('parseEmittedName', () => {
  it.each(['invoice.created', 'webhook', 'webhooks.made', 'my.webhook.made'])('reads %j', (name) => {
    expect(parseEmittedName(name)).toEqual({ ok: true, name });
  });

  it.each(['webhook.endpoint.failing', ' WEBHOOK.x', 'webhook.', 'invoice.*'])('refuses %j', (text) => {
    expect(parseEmittedName(text)).toMatchObject({ ok: false });
  });
});

describe('parseEventPattern', () => {
  it.each(['*', 'invoice.*', 'a.b.*', 'invoice.created'])('reads %j', (text) => {
    expect(parseEventPattern(text)).toEqual({ ok: true, name: text });
  });

  it.each(['**', '*.created', 'invoice*', 'invoice.*.x', '.*', 'invoice.**'])('refuses %j', (text) => {
    expect(parseEventPattern(text)).toMatchObject({ ok: false });
  });
});

describe('patternsMatching', () => {
  it.each([
    ['test', ['test', '*']],
    ['invoice.created', ['invoice.created', 'invoice.*', '*']],
    ['webhook.endpoint.failing', ['webhook.endpoint.failing', 'webhook.endpoint.*', 'webhook.*']],
    ['a.b.c', ['a.b.c', 'a.b.*', 'a.*', '*']],
  ])('lists what matches %j', (name, patterns) => {
    expect(patternsMatching(name)).toEqual(patterns);
  });
});
