import { describe, expect, it } from '@jest/globals';

import type { Principal } from './principal.js';
import { refusalOf, type RouteDemands } from './route-rule.js';

const of = (scopes: string, tenantId: string | null = 'acme'): Principal => ({
  ...{ subject: 'ana', tenantId, scopes: new Set(scopes.split(' ')) },
});
const session = (principal: Principal, isReadOnly: boolean): Principal => ({
  ...principal,
  session: { id: 's', isReadOnly, endsAt: new Date(0) },
});
const look: RouteDemands = { scopes: ['w:read'], needsTenant: true, isRead: true };
const question: RouteDemands = { ...look, isRead: false };
const change: RouteDemands = { scopes: ['w:write'], needsTenant: true, isRead: false };
const adminLook: RouteDemands = { scopes: ['w:admin'], needsTenant: false, isRead: true };
const adminChange: RouteDemands = { ...adminLook, isRead: false };
const all = of('w:read w:write w:admin');
const admin = of('w:admin', null);

describe('refusalOf', () => {
  it.each([
    ['a token with every scope looks', all, look, null],
    ['and changes', all, change, null],
    ['a token without a tenant, on a route of tenants', of('w:read', null), look, 'tenant_required'],
    ['the same on a route of none', admin, adminLook, null],
    ['and changes there', admin, adminChange, null],
    ['a token without the scope', of('w:read'), change, 'insufficient_scope'],
    [
      'a token of a tenant without the administrator’s',
      of('w:read w:write'),
      adminLook,
      'insufficient_scope',
    ],
    ['an administrator on a route of tenants', admin, look, 'tenant_required'],
    ['a session changes as its token does', session(all, false), change, null],
    ['a session that only looks looks', session(all, true), look, null],
    ['and asks a question with a body', session(all, true), question, null],
    ['and changes nothing, whatever its scopes', session(all, true), change, 'insufficient_scope'],
    ['an administrator’s that only looks looks', session(admin, true), adminLook, null],
    ['and changes nothing', session(admin, true), adminChange, 'insufficient_scope'],
    ['nor where no scope is asked for', session(all, true), { ...change, scopes: [] }, 'insufficient_scope'],
    [
      'nor where looking is half of it',
      session(all, true),
      { ...change, scopes: ['w:read', 'w:admin'] },
      'insufficient_scope',
    ],
  ])('%s', (_what, principal, route, refusal) => {
    expect(refusalOf(principal, route)).toBe(refusal);
  });
});
