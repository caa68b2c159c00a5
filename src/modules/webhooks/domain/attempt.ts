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

/** `auto`: the engine decided; `manual`: a person or an API call asked for it. */
export type AttemptTrigger = 'auto' | 'manual';
