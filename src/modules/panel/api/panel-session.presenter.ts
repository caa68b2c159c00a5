import { ApiProperty } from '@nestjs/swagger';

import type { Principal } from '../../../platform/auth/principal.js';
import type { PanelLink } from '../application/make-panel-link.js';

/** A link as whoever asked for it sees it, once. */
export class PanelLinkView {
  @ApiProperty({
    format: 'uuid',
    description: 'Of the session, as the audit trail and the log name it.',
    example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11',
  })
  id!: string;

  @ApiProperty({
    description:
      'Where to send the browser: it opens the panel once. Absolute where `PUBLIC_URL` is set, otherwise a path of this service.',
    example: '/panel/#s=v1Yt3mYb2sQeM6o4c8pKxA',
  })
  url!: string;

  @ApiProperty({
    format: 'date-time',
    description: 'Until when the link can be used: for a minute.',
    example: '2026-11-24T09:01:00.000Z',
  })
  expires_at!: string;

  @ApiProperty({ example: true })
  read_only!: boolean;

  @ApiProperty({ description: 'What the session may do, space separated.', example: 'webhooks:read' })
  scope!: string;
}

/** Who is asking. */
export class PanelSessionView {
  @ApiProperty({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: 'Null for a bearer token.',
    example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11',
  })
  id!: string | null;

  @ApiProperty({ description: '`sub` of the token.', example: 'ana@customer.com' })
  subject!: string;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description: "Null for an administrator's session.",
    example: 'acme',
  })
  tenant_id!: string | null;

  @ApiProperty({ description: 'Space separated.', example: 'webhooks:read' })
  scope!: string;

  @ApiProperty({ example: true })
  read_only!: boolean;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'When the session ends however much it is used; null for a bearer token.',
    example: '2026-11-24T17:00:00.000Z',
  })
  ends_at!: string | null;
}

export function presentPanelLink(link: PanelLink, publicOrigin: string | null): PanelLinkView {
  const { session, token, expiresAt } = link;
  return {
    id: session.id,
    url: `${publicOrigin ?? ''}/panel/#s=${token.reveal()}`,
    expires_at: expiresAt.toISOString(),
    read_only: session.isReadOnly,
    scope: session.scopes.join(' '),
  };
}

export function presentPanelSession({ subject, tenantId, scopes, session }: Principal): PanelSessionView {
  return {
    id: session?.id ?? null,
    subject,
    tenant_id: tenantId,
    scope: [...scopes].sort().join(' '),
    read_only: session?.isReadOnly ?? false,
    ends_at: session?.endsAt.toISOString() ?? null,
  };
}
