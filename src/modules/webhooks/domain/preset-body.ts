import { eventTime } from './event-time.js';
import { jsonMembers } from './json-members.js';
import type { TemplatePreset } from './template.js';

/** An event as a template sees it. */
export interface TemplateInput {
  readonly tenantId: string;
  readonly eventId: string;
  readonly event: string;
  /** The JSON text of the payload, as it was given. */
  readonly payload: string;
}

/** The body of a request. */
export interface RequestBody {
  readonly text: string;
  readonly contentType: string;
}

const JSON_TYPE = 'application/json';
/** CloudEvents 1.0, structured. */
const CLOUDEVENTS_TYPE = 'application/cloudevents+json';

/** What every envelope has: a payload with all of them is one already. */
const ENVELOPE_MEMBERS = ['event', 'resource_type', 'resource_id', 'timestamp', 'data', 'metadata'];

/** The payload in the form of a preset. Its text is put in as it stands: key order, 1.10 and numbers of 20 digits survive. */
export function presetBody(preset: TemplatePreset, input: TemplateInput): RequestBody {
  const { tenantId, eventId, event, payload } = input;
  if (preset === 'raw') return { text: payload, contentType: JSON_TYPE };
  const type = JSON.stringify(event);
  const time = JSON.stringify(eventTime(eventId).toISOString());
  const id = JSON.stringify(eventId);
  switch (preset) {
    case 'standard':
      return { text: `{"type":${type},"timestamp":${time},"data":${payload}}`, contentType: JSON_TYPE };
    case 'thin': {
      const resource = resourceId(jsonMembers(payload));
      return {
        text: `{"type":${type},"timestamp":${time},"id":${id},"resource_id":${resource}}`,
        contentType: JSON_TYPE,
      };
    }
    case 'cloudevents': {
      const source = JSON.stringify(`urn:gestiqcloud:${tenantId}`);
      return {
        text: `{"specversion":"1.0","id":${id},"source":${source},"type":${type},"time":${time},"datacontenttype":"${JSON_TYPE}","data":${payload}}`,
        contentType: CLOUDEVENTS_TYPE,
      };
    }
    case 'envelope':
      return { text: envelope(input, type, time), contentType: JSON_TYPE };
  }
}

/** As our modules build it; a payload that is one already stays as it is. */
function envelope({ tenantId, event, payload }: TemplateInput, type: string, time: string): string {
  const members = jsonMembers(payload);
  if (isEnvelope(members)) return payload;
  const resourceType = JSON.stringify(event.split('.')[0]);
  const metadata = JSON.stringify({ tenant_id: tenantId, source: 'gestiqcloud', version: '1.0' });
  return `{"event":${type},"resource_type":${resourceType},"resource_id":${resourceId(members)},"timestamp":${time},"data":${payload},"metadata":${metadata}}`;
}

function isEnvelope(members: ReadonlyMap<string, string>): boolean {
  return ENVELOPE_MEMBERS.every((name) => members.has(name));
}

/** What the event is about, if its payload says so in one word or number. */
function resourceId(members: ReadonlyMap<string, string>): string {
  const text = members.get(isEnvelope(members) ? 'resource_id' : 'id') ?? 'null';
  return /^["\d-]/.test(text) ? text : 'null';
}
