/** A problem of an answer, as the contract has it. */
export interface Problem {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
}

export interface BadRequest {
  readonly title: string;
  readonly method: string;
  /** From the server's root; `{subscription}`, `{delivery}`, `{event}` and `{invoice}` become the ids of what exists. */
  readonly path: string;
  /** A string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** All of them, in any order; or the code of a refusal. */
  readonly problems: readonly Problem[] | string;
  /** 400 when absent. */
  readonly status?: number;
}

export const LIMIT_RULE = 'Limit must be a whole number from 1 to 100';
const CURSOR_RULE = 'Cursor is not valid: take it from the Link header of the page before';
export const problem = (where: string, field: string, msg: string): Problem => ({
  type: 'value_error',
  loc: [where, field],
  msg,
});
export const wrong = (field: string, msg: string): Problem => problem('body', field, msg);
export const missing = (field: string): Problem => ({
  type: 'missing',
  loc: ['body', field],
  msg: 'Field required',
});
export const unknown = (field: string, where = 'body'): Problem => ({
  type: 'extra_forbidden',
  loc: [where, field],
  msg: 'Unknown field',
});
const body = (msg: string, type = 'value_error'): Problem => ({ type, loc: ['body'], msg });
export const json = (value: unknown): string => JSON.stringify(value);

/** Names that every object inherits: libraries drop them in silence. */
const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
const INHERITED_FIELDS = INHERITED.map((name) => `${json(name)}:{"event":"x"}`).join(',');

/** What every route with a JSON object as its body refuses; `full` is a good body. */
export const badBodies = (
  method: string,
  path: string,
  full: object,
  required: readonly string[],
): BadRequest[] => [
  ...['[]', '"text"', '7', 'true', 'null'].map((text) => ({
    title: `the body ${text}`,
    method,
    path,
    body: text,
    problems: [body('Body must be a JSON object')],
  })),
  { title: 'half a body', method, path, body: '{"event"', problems: 'json_invalid' },
  { title: 'a body in another form', method, path, body: 'event=a', problems: 'json_invalid' },
  { title: 'a number that JSON has not', method, path, body: '{"event":NaN}', problems: 'json_invalid' },
  {
    title: 'a body that is too deep',
    method,
    path,
    body: `{"event":${'['.repeat(101)}${']'.repeat(101)}}`,
    problems: [body('Body is nested deeper than 100 levels', 'json_invalid')],
  },
  {
    title: 'a body of another type',
    method,
    path,
    body: json(full),
    headers: { 'content-type': 'text/plain' },
    status: 415,
    problems: 'unsupported_media_type',
  },
  {
    title: 'a body that is compressed',
    method,
    path,
    body: json(full),
    headers: { 'content-encoding': 'gzip' },
    status: 415,
    problems: 'unsupported_media_type',
  },
  {
    title: 'a body that is too large',
    method,
    path,
    body: json({ ...full, filler: 'x'.repeat(1_048_577) }),
    status: 413,
    problems: 'payload_too_large',
  },
  {
    title: 'unknown fields',
    method,
    path,
    body: { ...full, tenant_id: 'other', id: 'x' },
    problems: [unknown('tenant_id'), unknown('id')],
  },
  {
    title: 'fields that every object inherits',
    method,
    path,
    body: `{${[json(full).slice(1, -1), INHERITED_FIELDS].filter(Boolean).join(',')}}`,
    problems: INHERITED.map((name) => unknown(name)),
  },
  ...(required.length === 0
    ? []
    : [{ title: 'no field at all', method, path, body: {}, problems: required.map(missing) }]),
];

export const badPaging = (path: string): BadRequest[] => [
  ...['0', '101', 'abc', '1.5', '-1', '', '1e2', '%20', '99999999999999999999'].map((limit) => ({
    title: `limit=${limit}`,
    method: 'GET',
    path: `${path}?limit=${limit}`,
    problems: [problem('query', 'limit', LIMIT_RULE)],
  })),
  ...['', 'abc', '%00', 'AAAAAAAAAAAAAAAAAAAAAB', `${'A'.repeat(22)}%3D%3D`, 'A'.repeat(23)].map(
    (cursor) => ({
      title: `cursor=${cursor}`,
      method: 'GET',
      path: `${path}?cursor=${cursor}`,
      problems: [problem('query', 'cursor', CURSOR_RULE)],
    }),
  ),
  {
    title: 'two limits and two cursors',
    method: 'GET',
    path: `${path}?limit=1&limit=2&cursor=a&cursor=b`,
    problems: [problem('query', 'limit', LIMIT_RULE), problem('query', 'cursor', 'Cursor must be a string')],
  },
  {
    title: 'unknown keys',
    method: 'GET',
    path: `${path}?page=2&__proto__=1&constructor=1&limit[a]=1`,
    problems: [
      unknown('page', 'query'),
      unknown('__proto__', 'query'),
      unknown('constructor', 'query'),
      unknown('limit[a]', 'query'),
    ],
  },
];

/** An id that is unknown, or no id at all: 404 with the code of what was asked for, never an error of the database. */
export const badIds = (method: string, path: string, code: string, rest: object = {}): BadRequest[] =>
  [
    '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50',
    'no-uuid',
    '0',
    '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f5',
    '%7B0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50%7D',
    '%00',
    '%27%20OR%201=1',
    '__proto__',
    'x'.repeat(600),
  ].map((id) => ({
    title: `the id ${id.slice(0, 50)}`,
    method,
    path: path.replace('{id}', id),
    ...rest,
    status: 404,
    problems: code,
  }));
