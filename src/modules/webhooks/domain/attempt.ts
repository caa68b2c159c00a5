/** Why an attempt did not end in a 2xx; the vocabulary of `attempt_log[].error_class`. */
export const ERROR_CLASSES = [
  'timeout',
  'dns_error',
  'connection_refused',
  'connection_reset',
  'tls_error',
  'blocked',
  'template_error',
  'http_4xx',
  'http_5xx',
  'http_3xx',
  'other',
] as const;

export type ErrorClass = (typeof ERROR_CLASSES)[number];

/** Kinds of answers, by their first digit. */
export const HTTP_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const;

export type HttpClass = (typeof HTTP_CLASSES)[number];

/** How an attempt failed that was answered like this; 2xx: it did not. */
export function errorClassOf(httpClass: HttpClass | undefined): ErrorClass | undefined {
  return httpClass === undefined || httpClass === '2xx' ? undefined : `http_${httpClass}`;
}

/** `auto`: the engine decided; `manual`: a person or an API call asked for it. */
export type AttemptTrigger = 'auto' | 'manual';
