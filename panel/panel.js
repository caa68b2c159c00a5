/**
 * The panel in its plain form: deliveries with every attempt, endpoints, send again. It talks REST alone. Who is asking is said
 * by the session that a link (`#s=…`) has opened, in a cookie that no script sees, or by a token that is kept in this tab
 * (sessionStorage) and never in a URL; whatever receivers answered is shown as text.
 */
import { TEXTS } from './texts.js';

const API = '/api/v1/tenant/webhooks';
const STATUSES = ['PENDING', 'SENDING', 'DELIVERED', 'FAILED'];
const byId = (id) => document.getElementById(id);

/** What a session asks of changes. */
const FROM_PANEL = { 'x-panel': '1' };
const hasSession = () => sessionStorage.getItem('session') !== null;
const isSignedIn = () => hasSession() || sessionStorage.getItem('token') !== null;

let language = navigator.language.startsWith('es') ? 'es' : 'en';
let shown = deliveries;
const text = (key) => TEXTS[language][key];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function request(path, options = {}) {
  const response = await fetch(API + path, {
    ...options,
    headers: {
      ...(hasSession() ? FROM_PANEL : { authorization: `Bearer ${sessionStorage.getItem('token')}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
  });
  const raw = await response.text();
  const body = raw === '' ? null : JSON.parse(raw);
  if (!response.ok) {
    const { detail } = body ?? { detail: response.status };
    throw new Error(Array.isArray(detail) ? detail.map(({ msg }) => msg).join(' ') : String(detail));
  }
  const next = /<[^>]*[?&]cursor=([^&>]+)/.exec(response.headers.get('link') ?? '')?.[1];
  return { body, next };
}

/** Shows a view; while it loads, and when it fails, it says so. */
async function show(view) {
  shown = view;
  byId('sign-in').hidden = isSignedIn();
  byId('sign-out').hidden = !isSignedIn();
  const place = byId('view');
  byId('notice').textContent = text('loading');
  try {
    const content = await view();
    place.replaceChildren(...content);
    place.hidden = false;
    byId('notice').textContent = '';
  } catch (cause) {
    place.hidden = true;
    sayFailed(cause, () => show(view));
  }
}

/**
 * Changes something once, and then shows what came of it. A view may be drawn again at any time, for another language or after
 * a failure, so it only ever reads.
 */
async function change(make, view) {
  byId('notice').textContent = text('loading');
  try {
    const { body } = await make();
    await show(() => view(body));
  } catch (cause) {
    sayFailed(cause, () => change(make, view));
  }
}

function sayFailed(cause, again) {
  byId('notice').replaceChildren(
    `${text('failed')} ${cause.message} `,
    element('button', { type: 'button', textContent: text('again'), onclick: again }),
  );
}

function table(columns, rows) {
  const head = element(
    'tr',
    {},
    ...columns.map((title) => element('th', { scope: 'col', textContent: title })),
  );
  const body = rows.map((cells) =>
    element(
      'tr',
      {},
      ...cells.map((cell) =>
        cell instanceof Node ? element('td', {}, cell) : element('td', { textContent: cell ?? '' }),
      ),
    ),
  );
  return element(
    'div',
    { className: 'table' },
    element('table', {}, element('thead', {}, head), element('tbody', {}, ...body)),
  );
}

const time = (iso) =>
  element('time', { dateTime: iso, title: iso, textContent: new Date(iso).toLocaleString(language) });

async function deliveries(status = '', cursor = '') {
  const query = new URLSearchParams({ limit: '50', ...(status && { status }), ...(cursor && { cursor }) });
  const { body, next } = await request(`/deliveries?${query}`);
  const choice = element('select', { id: 'status', onchange: () => show(() => deliveries(choice.value)) });
  for (const value of ['', ...STATUSES])
    choice.append(new Option(value || text('all'), value, false, value === status));
  const filter = element(
    'form',
    {},
    element('label', { htmlFor: 'status', textContent: text('status') }),
    choice,
  );
  if (body.length === 0) return [filter, element('p', { textContent: text(status ? 'noMatch' : 'nothing') })];
  const rows = body.map((one) => [
    time(one.created_at),
    one.event,
    one.status,
    String(one.attempts),
    one.target_url,
    one.last_error,
    element('button', {
      type: 'button',
      textContent: text('open'),
      onclick: () => show(() => delivery(one.id)),
    }),
  ]);
  const columns = ['created', 'event', 'status', 'attempts', 'url', 'problem'].map(text);
  const older = element('button', {
    type: 'button',
    textContent: text('more'),
    onclick: () => show(() => deliveries(status, next)),
  });
  return [filter, table([...columns, ''], rows), ...(next === undefined ? [] : [older])];
}

async function delivery(id, notice = null) {
  const { body } = await request(`/deliveries/${id}`);
  const retry = () =>
    request(`/deliveries/${id}/retry`, { method: 'POST', body: JSON.stringify({ force: true }) });
  const attempts = body.attempt_log.flatMap((one) => [
    element('h3', { textContent: `${text('attempt')} ${one.number} (${one.trigger})` }),
    element(
      'p',
      {},
      time(one.started_at),
      ` · ${one.duration_ms} ms · ${one.error ?? `HTTP ${one.status_code}`}`,
    ),
    element('h4', { textContent: text('sent') }),
    element('pre', { textContent: JSON.stringify(one.request_headers, null, 2) }),
    element('h4', { textContent: text('answer') }),
    element('pre', { textContent: one.response_body ?? '' }),
  ]);
  return [
    element('button', { type: 'button', textContent: text('back'), onclick: () => show(deliveries) }),
    element('h2', { textContent: `${body.event} · ${body.status}` }),
    element('p', {
      textContent: [body.id, body.target_url, body.last_error, body.held_reason].filter(Boolean).join(' · '),
    }),
    element('button', {
      type: 'button',
      textContent: text('retry'),
      onclick: () => change(retry, () => delivery(id, 'retried')),
    }),
    element('p', { role: 'status', textContent: notice === null ? '' : text(notice) }),
    element('h3', { textContent: text('payload') }),
    element('pre', { textContent: JSON.stringify(body.payload, null, 2) }),
    ...attempts,
  ];
}

async function endpoints(made = null) {
  const { body } = await request('/subscriptions');
  const event = element('input', { id: 'event', required: true, placeholder: 'invoice.*' });
  const url = element('input', { id: 'url', required: true, type: 'url', placeholder: 'https://' });
  const form = element(
    'form',
    {
      onsubmit: (submitted) => {
        submitted.preventDefault();
        const wanted = JSON.stringify({ event: event.value, url: url.value });
        void change(() => request('/subscriptions', { method: 'POST', body: wanted }), endpoints);
      },
    },
    element('label', { htmlFor: 'event', textContent: text('event') }),
    event,
    element('label', { htmlFor: 'url', textContent: text('url') }),
    url,
    element('button', { textContent: text('subscribe') }),
  );
  const secret =
    made === null
      ? []
      : [
          element('p', { role: 'status', textContent: text('secretOnce') }),
          element('pre', { textContent: made.generated_secret }),
        ];
  if (body.length === 0) return [form, ...secret, element('p', { textContent: text('nothing') })];
  const rows = body.map((one) => [
    one.events.join(', '),
    one.url,
    one.paused
      ? text('paused')
      : one.active
        ? text('yes')
        : `${text('no')}: ${one.deactivation_reason ?? ''}`,
    time(one.created_at),
  ]);
  return [form, ...secret, table(['event', 'url', 'active', 'created'].map(text), rows)];
}

function translate() {
  document.documentElement.lang = language;
  byId('language').textContent = text('language');
  for (const one of document.querySelectorAll('[data-text]')) one.textContent = text(one.dataset.text);
}

byId('sign-in').onsubmit = (submitted) => {
  submitted.preventDefault();
  sessionStorage.removeItem('session');
  sessionStorage.setItem('token', byId('token').value.trim());
  byId('token').value = '';
  void show(deliveries);
};
byId('sign-out').onclick = async () => {
  if (hasSession()) await fetch('/panel/session', { method: 'DELETE', headers: FROM_PANEL });
  sessionStorage.clear();
  location.reload();
};
byId('show-deliveries').onclick = () => show(deliveries);
byId('show-endpoints').onclick = () => show(endpoints);
byId('language').onclick = () => {
  language = language === 'es' ? 'en' : 'es';
  translate();
  if (isSignedIn()) void show(shown);
};

/** Spends the link that the page was opened with, and takes it out of the address. */
async function openLink(token) {
  history.replaceState(null, '', location.pathname);
  const answer = await fetch('/panel/session', {
    method: 'POST',
    headers: { ...FROM_PANEL, 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  sessionStorage.clear();
  if (answer.ok) sessionStorage.setItem('session', 'open');
  else byId('notice').textContent = `${text('failed')} ${(await answer.json()).detail}`;
}

translate();
const link = /^#s=([\w-]+)$/.exec(location.hash)?.[1];
if (link !== undefined) await openLink(link);
if (isSignedIn()) void show(deliveries);
