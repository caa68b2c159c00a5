import { describe, expect, it } from '@jest/globals';

import { buildEnvelope } from './event-envelope.js';
import { presetBody, type TemplateInput } from './preset-body.js';
import { TEMPLATE_PRESETS, templateProblems } from './template.js';

const TIME = '2026-11-26T08:00:00.123Z';
const hex = new Date(TIME).getTime().toString(16).padStart(12, '0');
const EVENT_ID = `${hex.slice(0, 8)}-${hex.slice(8)}-7abc-8def-0123456789ab`;
const PAYLOAD = '{ "z": 1.10, "id": 12345678901234567890, "10": "ñ", "2": [] }';
const INPUT: TemplateInput = { tenantId: 'acme', eventId: EVENT_ID, event: 'invoice.paid', payload: PAYLOAD };

describe('presetBody', () => {
  it.each(TEMPLATE_PRESETS)(
    '%s: the same at every attempt, valid JSON, and the payload byte for byte',
    (preset) => {
      const { text } = presetBody(preset, INPUT);
      expect(presetBody(preset, INPUT).text).toBe(text);
      expect(JSON.parse(text)).toEqual(expect.any(Object));
      if (preset !== 'thin') expect(text).toContain(PAYLOAD);
    },
  );

  it('raw is the payload', () => {
    expect(presetBody('raw', INPUT)).toEqual({ text: PAYLOAD, contentType: 'application/json' });
  });

  it('standard is that of Standard Webhooks', () => {
    expect(presetBody('standard', INPUT)).toEqual({
      text: `{"type":"invoice.paid","timestamp":"${TIME}","data":${PAYLOAD}}`,
      contentType: 'application/json',
    });
  });

  it('cloudevents is structured 1.0', () => {
    const { text, contentType } = presetBody('cloudevents', INPUT);
    expect(contentType).toBe('application/cloudevents+json');
    expect(JSON.parse(text)).toEqual({
      ...{ specversion: '1.0', id: EVENT_ID, source: 'urn:gestiqcloud:acme', type: 'invoice.paid' },
      ...{ time: TIME, datacontenttype: 'application/json', data: JSON.parse(PAYLOAD) },
    });
  });

  it('thin has ids only, with all of their digits', () => {
    expect(presetBody('thin', INPUT).text).toBe(
      `{"type":"invoice.paid","timestamp":"${TIME}","id":"${EVENT_ID}","resource_id":12345678901234567890}`,
    );
    for (const payload of ['{}', '{"id":null}', '{"id":{"a":1}}', '{"id":[1]}', '{"id":true}']) {
      expect(JSON.parse(presetBody('thin', { ...INPUT, payload }).text)).toMatchObject({ resource_id: null });
    }
  });

  it('envelope is what our modules build, once', () => {
    const { text } = presetBody('envelope', INPUT);
    expect(JSON.parse(text)).toEqual(
      buildEnvelope({
        ...{ event: 'invoice.paid', resourceType: 'invoice', tenantId: 'acme', occurredAt: new Date(TIME) },
        ...{
          resourceId: Number('12345678901234567890') as unknown as string,
          data: JSON.parse(PAYLOAD) as object,
        },
      }),
    );
    const payload = JSON.stringify(
      buildEnvelope({
        event: 'invoice.paid',
        resourceType: 'invoice',
        resourceId: 'F-1',
        tenantId: 'acme',
        data: {},
      }),
    );
    expect(presetBody('envelope', { ...INPUT, payload }).text).toBe(payload);
    expect(JSON.parse(presetBody('thin', { ...INPUT, payload }).text)).toMatchObject({ resource_id: 'F-1' });
  });
});

describe('templateProblems', () => {
  const found = (value: unknown): [string, string][] =>
    templateProblems(value, ['template']).map(({ path, msg }) => [path.join('/'), msg]);

  it.each([...TEMPLATE_PRESETS, { jsonata: '$' }, { jsonata: 'x'.repeat(16_384) }])('takes %j', (value) => {
    expect(found(value)).toEqual([]);
  });

  it.each<[unknown, [string, string][]]>([
    ['xml', [['template', 'Unknown preset "xml"']]],
    ['__proto__', [['template', 'Unknown preset "__proto__"']]],
    [5, [['template', 'template must be a preset or an object with jsonata']]],
    [[], [['template', 'template must be a preset or an object with jsonata']]],
    [{}, [['template/jsonata', 'template.jsonata must be a JSONata expression']]],
    [{ jsonata: ' ' }, [['template/jsonata', 'template.jsonata must be a JSONata expression']]],
    [{ jsonata: 'ñ'.repeat(8_193) }, [['template/jsonata', 'template.jsonata must be at most 16384 bytes']]],
    [{ jsonata: '$', liquid: 1 }, [['template/liquid', 'Unknown field']]],
  ])('refuses %j', (value, problems) => {
    expect(found(value)).toEqual(problems);
  });
});
