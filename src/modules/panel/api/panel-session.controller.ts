import {
  applyDecorators,
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { AuthError } from '../../../platform/auth/auth-errors.js';
import { mayUseCookie } from '../../../platform/auth/cookie-rule.js';
import { CurrentPrincipal } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { PublicOrigin } from '../../../platform/auth/public-origin.js';
import { cookieRequestOf, sessionTokenOf } from '../../../platform/auth/request-principals.js';
import { ENDED_SESSION_COOKIES, sessionCookie } from '../../../platform/auth/session-cookie.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { ClosePanelSession } from '../application/close-panel-session.js';
import { OpenPanelSession } from '../application/open-panel-session.js';
import { PanelError } from '../domain/errors.js';
import { SESSION_LIMITS } from '../domain/panel-session.js';
import { OpenPanelSessionDto } from './dto/open-panel-session.dto.js';
import { PanelSessionView, presentPanelSession } from './panel-session.presenter.js';

const ORIGIN_SCHEMA = { type: 'string', example: 'https://hooks.customer.com' } as const;

/** What tells a page of ours from another one. */
const FromOurPage = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({ name: 'X-Panel', required: true, schema: { type: 'string', enum: ['1'] } }),
    ApiHeader({
      name: 'Origin',
      required: true,
      description:
        'Of the service itself, as browsers send it: what the request was sent to, or `PUBLIC_URL`.',
      schema: ORIGIN_SCHEMA,
    }),
  );

/** The session of a browser. */
@ApiTags('Panel')
@ApiErrors(429, 500, 503)
@Controller('panel/session')
export class PanelSessionController {
  constructor(
    private readonly open: OpenPanelSession,
    private readonly close: ClosePanelSession,
    private readonly publicOrigin: PublicOrigin,
  ) {}

  @Post()
  @ApiOperation({
    operationId: 'openPanelSession',
    summary: 'Open a session of the panel with the token of a link',
    description:
      'Spends the link. The answer sets a cookie, which the API takes in place of a bearer token from pages of the same origin: to look, ' +
      'and with `X-Panel: 1` and `Origin` to change.',
  })
  @FromOurPage()
  @ApiCreatedResponse({
    type: PanelSessionView,
    headers: {
      'Set-Cookie': {
        description: 'The session. Over plain http on this machine it is named `whp` and has no `Secure`.',
        required: true,
        schema: { type: 'string' },
        example: '__Host-whp=…; Path=/; HttpOnly; SameSite=Strict; Max-Age=28800; Secure',
      },
    },
  })
  @ApiErrors(400, [401, 'panel_link_invalid'], [403, 'cross_origin_refused', 'https_required'], 413, 415)
  async start(
    @Body() { token: linkToken }: OpenPanelSessionDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PanelSessionView> {
    const origin = this.assertOwnPage(request);
    // Asked before the link is spent: where a browser would not keep the cookie, it can still be used elsewhere.
    if (sessionCookie('', origin, 0) === null) throw new PanelError('https_required');
    const { session, token, endsAt } = await this.open.execute(linkToken, request.id);
    const cookie = sessionCookie(token.reveal(), origin, SESSION_LIMITS.totalMs / 1_000);
    void reply.header('Set-Cookie', cookie);
    const { id, isReadOnly, scopes, ...rest } = session;
    return presentPanelSession({ ...rest, scopes: new Set(scopes), session: { id, isReadOnly, endsAt } });
  }

  @Get()
  @UseGuards(JwtAuthGuard)
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'getPanelSession', summary: 'Who is asking, and what they may' })
  @ApiOkResponse({ type: PanelSessionView })
  @ApiErrors(401, [403, 'cross_origin_refused'])
  read(@CurrentPrincipal() principal: Principal): PanelSessionView {
    return presentPanelSession(principal);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'closePanelSession',
    summary: 'End the session',
    description:
      'In every process, at once; its streams end within 15 seconds. Without a session it does nothing.',
  })
  @FromOurPage()
  @ApiNoContentResponse({ description: 'It has ended.' })
  @ApiErrors(400, [403, 'cross_origin_refused'], 413, 415)
  async end(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    this.assertOwnPage(request);
    const token = sessionTokenOf(request);
    if (token !== null) await this.close.execute(token, request.id);
    void reply.header('Set-Cookie', [...ENDED_SESSION_COOKIES]);
  }

  /** @returns the origin of the page @throws AuthError `cross_origin_refused` */
  private assertOwnPage(request: FastifyRequest): string {
    const asked = cookieRequestOf(request);
    if (asked.origin === undefined || !mayUseCookie(asked, this.publicOrigin.origin)) {
      throw new AuthError('cross_origin_refused');
    }
    return asked.origin;
  }
}
