import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { AuthError } from '../../../platform/auth/auth-errors.js';
import { CurrentActor, CurrentPrincipal } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { PublicOrigin } from '../../../platform/auth/public-origin.js';
import { RequireScopes, ScopesGuard, WithoutTenant } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import type { Actor } from '../../../platform/kernel/actor.js';
import { MakePanelLink } from '../application/make-panel-link.js';
import { MakePanelLinkDto } from './dto/make-panel-link.dto.js';
import { PanelLinkView, presentPanelLink } from './panel-session.presenter.js';

const DESCRIPTION =
  'For whoever embeds the panel or sends somebody to it: `url` opens it once, within a minute, for whom the token speaks, with its ' +
  'scopes or fewer. The session that comes of it ends after half an hour without a request, and after eight hours. ' +
  'It needs a bearer token: a session makes no other.';

/** Links into the panel. */
@ApiTags('Panel')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 413, 415, 429, 500, 503)
@Controller('api/v1')
export class PanelLinksController {
  constructor(
    private readonly makeLink: MakePanelLink,
    private readonly publicOrigin: PublicOrigin,
  ) {}

  @Post('tenant/webhooks/panel-sessions')
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'createPanelSession',
    summary: 'Make a link that opens the panel of the tenant',
    description: DESCRIPTION,
  })
  @ApiBody({ type: MakePanelLinkDto, required: false })
  @ApiCreatedResponse({ type: PanelLinkView })
  @ApiErrors([403, 'tenant_required', 'insufficient_scope', 'bearer_required', 'cross_origin_refused'])
  async ofTenant(
    @CurrentPrincipal() principal: Principal,
    @CurrentActor() actor: Actor,
    @Body() dto: MakePanelLinkDto,
  ): Promise<PanelLinkView> {
    return this.made(principal, principal.tenantId, actor, dto);
  }

  @Post('admin/webhooks/panel-sessions')
  @RequireScopes('webhooks:admin')
  @WithoutTenant()
  @ApiOperation({
    operationId: 'createAdminPanelSession',
    summary: 'Make a link that opens the panel of the operator, of no tenant',
    description: DESCRIPTION,
  })
  @ApiBody({ type: MakePanelLinkDto, required: false })
  @ApiCreatedResponse({ type: PanelLinkView })
  @ApiErrors([403, 'insufficient_scope', 'bearer_required', 'cross_origin_refused'])
  async ofNoTenant(
    @CurrentPrincipal() principal: Principal,
    @CurrentActor() actor: Actor,
    @Body() dto: MakePanelLinkDto,
  ): Promise<PanelLinkView> {
    return this.made(principal, null, actor, dto);
  }

  private async made(
    { scopes, session }: Principal,
    tenantId: string | null,
    actor: Actor,
    { read_only: isReadOnly = false }: MakePanelLinkDto,
  ): Promise<PanelLinkView> {
    // One after the other, sessions would never end.
    if (session !== undefined) throw new AuthError('bearer_required');
    const link = await this.makeLink.execute({ actor, tenantId, scopes, isReadOnly });
    return presentPanelLink(link, this.publicOrigin.origin);
  }
}
