import { isUuid } from '../../../../platform/kernel/uuid.js';
import type { DeliveryFilter } from '../../application/ports/delivery-repository.js';
import { errorClassOf, type ErrorClass } from '../../domain/attempt.js';

/* As the partial indexes have it. What is open is written so that its index serves this list alone, never the engine. */
export const OPEN = `d.status || '' IN ('PENDING', 'SENDING')`;
export const FINISHED = `d.status IN ('DELIVERED', 'FAILED')`;

/** One row, or the rows of something that has few. */
export interface Find {
  readonly by: 'delivery' | 'event' | 'resource';
  readonly id: string;
}

/** What a list is put together from: pieces of one index each. */
export interface ListPart {
  readonly filter: Pick<DeliveryFilter, 'event' | 'status' | 'subscriptionId' | 'since' | 'until'> & {
    /** Its last attempt failed like this. */
    readonly errorClass: ErrorClass | undefined;
    /** Its last attempt went well. */
    readonly isWell: boolean;
  };
  readonly state?: typeof OPEN | typeof FINISHED;
  readonly find?: Find;
}

/** None where nothing can be of all that was asked for. */
export function partsOf({ q, errorClass, httpClass, ...rest }: DeliveryFilter): ListPart[] {
  const isWell = httpClass === '2xx';
  const ofHttp = errorClassOf(httpClass);
  const wanted = errorClass ?? ofHttp;
  const isEither = isWell || ofHttp !== undefined;
  if (isEither && errorClass !== undefined && errorClass !== ofHttp) return [];
  // What arrived did so with its last attempt.
  if (wanted !== undefined && rest.status === 'DELIVERED') return [];
  const filter = { ...rest, errorClass: wanted, isWell };
  return q === undefined ? pieces(filter) : found(filter, q);
}

/** Of one event and one subscription, what is open and what is finished are found by an index each. */
function pieces(filter: ListPart['filter']): ListPart[] {
  const { event, subscriptionId, status, errorClass } = filter;
  const isPair = event !== undefined && subscriptionId !== undefined;
  return isPair && status === undefined && errorClass === undefined
    ? [
        { filter, state: OPEN },
        { filter, state: FINISHED },
      ]
    : [{ filter }];
}

/** An id may be of a delivery, an event or a subscription; any text that of what an event is about. */
function found(filter: ListPart['filter'], q: string): ListPart[] {
  const ofResource: ListPart = { filter, find: { by: 'resource', id: q } };
  if (!isUuid(q)) return [ofResource];
  const { subscriptionId } = filter;
  const isOther = subscriptionId !== undefined && subscriptionId.toLowerCase() !== q.toLowerCase();
  return [
    ofResource,
    { filter, find: { by: 'delivery', id: q } },
    { filter, find: { by: 'event', id: q } },
    ...(isOther ? [] : pieces({ ...filter, subscriptionId: q })),
  ];
}
