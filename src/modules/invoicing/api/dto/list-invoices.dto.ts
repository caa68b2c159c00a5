import { KeysetPageQuery } from '../../../../platform/http/keyset-page.js';

/** Pages alone: invoices have no filters. */
export class ListInvoicesDto extends KeysetPageQuery {}
