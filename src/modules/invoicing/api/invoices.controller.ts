import {
  applyDecorators,
  Body,
  Controller,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { ApiKeysetPage, linkNextPage, positionOf } from '../../../platform/http/keyset-page.js';
import { isUuid } from '../../../platform/kernel/uuid.js';
import { ChangeInvoiceState } from '../application/change-invoice-state.js';
import { CreateInvoice } from '../application/create-invoice.js';
import { ReadInvoices } from '../application/read-invoices.js';
import { InvoiceError } from '../domain/errors.js';
import type { InvoiceTransition } from '../domain/invoice.js';
import { CreateInvoiceDto } from './dto/create-invoice.dto.js';
import { ListInvoicesDto } from './dto/list-invoices.dto.js';
import { InvoiceView, presentInvoice } from './invoice.presenter.js';

/*
 * The contract names scopes for webhooks alone. Invoices are here to show how a module emits, so they use the same ones:
 * a token that can subscribe can also make something happen. A real module would name its own.
 */
const READ = 'webhooks:read';
const WRITE = 'webhooks:write';

@ApiTags('Invoices')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 429, 500, 503)
@Controller('api/v1/tenant/invoices')
export class InvoicesController {
  constructor(
    private readonly createInvoice: CreateInvoice,
    private readonly readInvoices: ReadInvoices,
    private readonly changeInvoiceState: ChangeInvoiceState,
  ) {}

  @Post()
  @RequireScopes(WRITE)
  @ApiOperation({
    operationId: 'createInvoice',
    summary: 'Create a draft; emits `invoice.created`',
    description: 'With `send` also sends it, in the same transaction, and emits `invoice.sent` as well.',
  })
  @ApiCreatedResponse({ type: InvoiceView })
  @ApiErrors([409, 'duplicate_invoice_number', 'invoice_transition_not_allowed'], 413, 415)
  async create(@CurrentTenant() tenantId: string, @Body() dto: CreateInvoiceDto): Promise<InvoiceView> {
    return presentInvoice(
      await this.createInvoice.execute({
        tenantId,
        number: dto.number,
        customer: dto.customer,
        totalCents: dto.total_cents,
        currency: dto.currency.toUpperCase(),
        send: dto.send ?? false,
      }),
    );
  }

  @Get()
  @RequireScopes(READ)
  @ApiOperation({
    operationId: 'listInvoices',
    summary: 'List invoices, newest first',
    description: 'When there are more, the `Link` header carries the URL of the next page (`rel="next"`).',
  })
  @ApiKeysetPage(InvoiceView)
  async list(
    @CurrentTenant() tenantId: string,
    @Query() query: ListInvoicesDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<InvoiceView[]> {
    const { limit, afterId } = positionOf(query);
    const page = await this.readInvoices.list(tenantId, limit, afterId);
    linkNextPage(request, reply, page.hasMore ? (page.invoices.at(-1)?.id ?? null) : null);
    return page.invoices.map(presentInvoice);
  }

  @Get(':id')
  @RequireScopes(READ)
  @ApiOperation({ operationId: 'getInvoice', summary: 'Read one invoice' })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: InvoiceView })
  @ApiErrors([404, 'invoice_not_found'])
  async get(@CurrentTenant() tenantId: string, @Param('id') id: string): Promise<InvoiceView> {
    return presentInvoice(await this.readInvoices.get(tenantId, known(id)));
  }

  @PostTransition('send', 'Send a draft to the customer; emits `invoice.sent`')
  async send(@CurrentTenant() tenantId: string, @Param('id') id: string): Promise<InvoiceView> {
    return this.change(tenantId, id, 'send');
  }

  @PostTransition('authorize', 'Authorize an invoice that was sent; emits `invoice.authorized`')
  async authorize(@CurrentTenant() tenantId: string, @Param('id') id: string): Promise<InvoiceView> {
    return this.change(tenantId, id, 'authorize');
  }

  @PostTransition('pay', 'Record that an authorized invoice was paid; emits `invoice.paid`')
  async pay(@CurrentTenant() tenantId: string, @Param('id') id: string): Promise<InvoiceView> {
    return this.change(tenantId, id, 'pay');
  }

  @PostTransition('cancel', 'Cancel an invoice that is not paid; emits `invoice.cancelled`')
  async cancel(@CurrentTenant() tenantId: string, @Param('id') id: string): Promise<InvoiceView> {
    return this.change(tenantId, id, 'cancel');
  }

  private async change(tenantId: string, id: string, transition: InvoiceTransition): Promise<InvoiceView> {
    return presentInvoice(await this.changeInvoiceState.execute(tenantId, known(id), transition));
  }
}

/** What the four state changes have in common. */
function PostTransition(transition: InvoiceTransition, summary: string): MethodDecorator {
  return applyDecorators(
    Post(`:id/${transition}`),
    HttpCode(200),
    RequireScopes(WRITE),
    ApiOperation({
      operationId: `${transition}Invoice`,
      summary,
      description:
        'In any other state: 409 `invoice_transition_not_allowed`; nothing changes, nothing is emitted.',
    }),
    ApiParam({ name: 'id', format: 'uuid' }),
    ApiOkResponse({ type: InvoiceView }),
    ApiErrors([404, 'invoice_not_found'], [409, 'invoice_transition_not_allowed'], 413, 415),
  );
}

function known(id: string): string {
  if (!isUuid(id)) throw new InvoiceError('invoice_not_found');
  return id;
}
